// Inputs, what is wanted and what the line gives, as tensors; what belongs together lights up together.

const LETTERS = 26; // a row of more than this, with one between cells, is set smaller

// Cells are known by part and index. Of a Jacobian a cell belongs to an element of f and one of the variable.
class Partners extends Links {
  constructor() { super(() => {}); }

  // `split` is the rank of f; null where nothing is differentiated.
  set(split) { this.split = split; }

  add(node, cell) {
    const key = `${cell.part} ${cell.index.join(",")}`;
    this.cells.set(node, { ...cell, key, node });
    this.parts.get(cell.part).set(key, [node]);
  }

  nodes(key) {
    const [part, index] = key.split(" ");
    const [kind, k] = part.split(":");
    const own = index ? index.split(",") : [];
    const jacobian = this.split !== null;
    const found = [];
    for (const [other, cells] of this.parts) {
      const [otherKind, otherK] = other.split(":");
      for (const [otherKey, nodes] of cells) {
        const theirs = otherKey.split(" ")[1];
        if (other === part ? otherKey === key : this.belong([kind, k, own], [otherKind, otherK, theirs ? theirs.split(",") : []], jacobian)) found.push(...nodes);
      }
    }
    return found;
  }

  belong([kind, k, own], [otherKind, otherK, theirs], jacobian) {
    const tables = ["wanted", "yours"];
    if (tables.includes(kind) && tables.includes(otherKind)) return k === otherK && same(own, theirs);
    if (!jacobian) return false;
    if (tables.includes(otherKind)) return this.belong([otherKind, otherK, theirs], [kind, k, own], jacobian);
    if (!tables.includes(kind)) return false;
    if (otherKind === "f") return same(own.slice(0, this.split), theirs);
    return otherKind === "xy"[Number(k)] && same(own.slice(this.split), theirs);
  }
}

const same = (one, other) => one.length === other.length && one.every((part, k) => part === other[k]);

// A tensor whose wrong elements are marked.
class Picture extends Grid {
  // `scale` is another tensor by which width and colours are measured too, for both to compare.
  show(tensor, places, { scale, wrong = [] } = {}) {
    const numbers = new Numbers(tensor.values);
    if (scale) {
      const other = new Numbers(scale.values);
      numbers.largest = Math.max(numbers.largest, other.largest);
      numbers.width = Math.max(numbers.width, other.width);
    }
    const drawn = places.length === tensor.shape.length ? [...places] : placesOf(tensor.shape.length, "");
    const columns = drawn.reduce((product, letter, d) => (letter === "c" ? product * tensor.shown[d].length : product), 1);
    this.element.classList.toggle("small", drawn.length > 3 || columns * (numbers.width + 1) > LETTERS);
    if (scale && this.scale !== numbers.largest) this.signature = undefined;
    this.scale = numbers.largest;
    this.build(tensor, drawn, numbers);
    const marked = new Set(wrong);
    for (const node of this.panels.querySelectorAll(".cell")) {
      const position = Number(node.dataset.position);
      node.classList.toggle("wrong", marked.has(position));
      const index = listed(node.dataset.index ? node.dataset.index.split(",") : []);
      node.setAttribute("aria-label", `${index}: ${node.textContent}${marked.has(position) ? ", wrong" : ""}`);
    }
  }
}

// One input: its numbers and tensors, and for each line of the answer what is wanted beside yours.
class Example {
  constructor(title) {
    this.links = new Partners();
    this.grids = new Map();
    this.inputs = html("div", { class: "inputs" });
    this.pairs = html("div", { class: "pairs" });
    this.element = html("section", { class: "example", "aria-label": title }, html("h4", {}, title), this.inputs, this.pairs);
  }

  // `again`: another puzzle, of which nothing is to be kept; `only` is the one part to show.
  update(inputs, parts, pictures, { split, again, only }) {
    this.links.set(split);
    if (again) for (const part of [...this.grids.keys()]) this.drop(part);
    const numbers = Object.entries(inputs.numbers).map(([name, value]) => html("span", { class: "number" }, `${name} = `, html("b", {}, format(decode(value)))));
    const tensors = inputs.tensors.map((tensor) => this.grid(tensor.name, tensor.name, (grid) => grid.show(tensor, "")));
    this.inputs.replaceChildren(...numbers, ...tensors);
    this.pairs.replaceChildren(...parts.map((part, k) => (only === undefined || only === k ? this.pair(part, k, pictures[k], parts.length > 1) : undefined)).filter(Boolean));
  }

  pair(part, k, { target, yours, wrong, problem }, several) {
    const wanted = this.grid(`wanted:${k}`, "wanted", (grid) => grid.show(target, part.places, { scale: yours ?? target }));
    const mine = this.grid(`yours:${k}`, "yours", (grid) => this.mine(grid, part, { target, yours, wrong, problem }));
    const stacked = target.shape.length < 2 && part.places !== "r";
    const name = several ? [html("h5", {}, part.name)] : [];
    return html("div", { class: "pair" }, ...name, html("div", { class: stacked ? "both stacked" : "both" }, wanted, mine));
  }

  // Where nothing could be computed, the last picture that could stays, pale.
  mine(grid, part, { target, yours, wrong, problem }) {
    const fits = yours && same(yours.shape, target.shape);
    if (yours) grid.show(yours, fits ? part.places : "", { scale: target, wrong });
    else if (part.state === "empty" || !grid.signature) this.nothing(grid, problem === part.message ? "" : problem);
    const stale = !yours && Boolean(grid.signature);
    grid.element.classList.toggle("stale", stale);
    grid.title.replaceChildren("yours", html("small", {}, yours && !fits ? `shape ${listed(yours.shape)}` : stale ? "the last one that worked" : ""));
  }

  // `why` is said where it is another reason than the one beside the line.
  nothing(grid, why) {
    grid.clear();
    grid.panels.replaceChildren(html("p", { class: "none" }, why ? `not computed: ${why}` : "not computed"));
  }

  grid(part, title, show) {
    if (!this.grids.has(part)) this.grids.set(part, new Picture(part, title, this.links));
    const grid = this.grids.get(part);
    show(grid);
    return grid.element;
  }

  drop(part) {
    this.grids.get(part).clear();
    this.grids.delete(part);
  }
}
