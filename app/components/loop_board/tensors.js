// A tensor above its storage; of the result only what has been stored by now.

const PIXELS = 160; // more cells than this are drawn without numbers
const ROOM = 300; // pixels that a row of them may take
const LONGEST_ROW = 20; // of cells with numbers

class TensorPart extends Grid {
  constructor(part, links) {
    super(part, part, links);
    this.slots = new Storage(`${part}.slots`, links);
    this.element.insertBefore(this.slots.element, this.foot);
  }

  build(tensor, numbers, line) {
    this.element.classList.toggle("pixels", tensor.elements.length > PIXELS || tensor.shape.at(-1) > LONGEST_ROW);
    super.build(tensor, placesOf(tensor.shape.length, ""), numbers);
    this.element.style.setProperty("--pixel", `${clamp(Math.floor(ROOM / (tensor.shape.at(-1) ?? 1)), 5, 10)}px`);
    const repeated = tensor.expanded.join() !== tensor.strides.join() || tensor.expanded.length !== tensor.shape.length;
    this.title.replaceChildren(this.part, html("small", {}, `shape ${listed(tensor.shape)}, strides ${listed(tensor.strides)}${tensor.offset ? `, offset ${tensor.offset}` : ""}`),
      html("small", {}, repeated ? `walked with ${listed(tensor.expanded)}: stride 0 repeats` : ""));
    this.slots.build(tensor, numbers, line);
    this.painted = new Map();
    this.cells = new Map(tensor.elements.map((position) => [position, this.links.nodesAt(keyOf(this.part, position))]));
  }

  // Elements that are not stored yet are not numbers: they are blank, and dashed. Touches only what has changed.
  paint(stored) {
    for (const [position, nodes] of this.cells) {
      const value = stored.get(position);
      if (this.painted.has(position) && Object.is(this.painted.get(position), value)) continue;
      this.painted.set(position, value);
      for (const node of nodes) {
        node.classList.toggle("pending", value === undefined);
        node.firstChild.textContent = value === undefined ? " " : short(value);
      }
    }
  }
}

class Storage {
  constructor(part, links) {
    Object.assign(this, { part, links });
    this.lines = html("div", { class: "memory", role: "group", "aria-label": `storage of ${part.split(".")[0]}, a row is a cache line` });
    this.element = html("div", { class: "stored" }, html("h4", {}, "storage"), this.lines);
    links.listen(this.lines);
  }

  build({ size, name }, numbers, line) {
    const signature = JSON.stringify([size, numbers.values, line]);
    if (signature === this.signature) return;
    this.signature = signature;
    this.links.clear(this.part);
    this.element.classList.toggle("pixels", size > PIXELS);
    this.rows = Array.from({ length: Math.ceil(size / line) }, (_, k) => html("div", { class: "row", "data-line": k }));
    for (let slot = 0; slot < size; slot += 1) {
      const node = cell(slot, slot, numbers, { "data-slot": slot });
      if (size <= PIXELS) node.append(html("small", { "aria-hidden": "true" }, String(slot)));
      node.setAttribute("aria-label", `slot ${slot} of ${name}: ${node.firstChild.textContent}`);
      this.links.add(node, { position: slot, part: this.part });
      this.rows[Math.floor(slot / line)].append(node);
    }
    this.lines.style.setProperty("--line", line);
    this.lines.style.setProperty("--digits", numbers.width);
    this.lines.replaceChildren(...this.rows);
  }

  // Lines that the cache holds are tinted.
  tint(name, kept) { this.rows.forEach((row, k) => row.classList.toggle("kept", kept.has(keyOf(name, k)))); }
}
