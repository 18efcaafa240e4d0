// Arrays as cells. A row of shared memory is the 32 banks; a row of global memory is a segment of 128 bytes, or a row of the matrix.

const PIXELS = 300; // more cells than this are drawn without numbers

class Memory {
  constructor(links) {
    this.links = links;
    this.element = html("section", { class: "memories", "aria-label": "memory" });
  }

  build(arrays) {
    const signature = JSON.stringify(arrays.map(({ name, space, shape, drawn, width }) => [name, space, shape, drawn, width]));
    this.arrays = arrays;
    this.painted = [];
    if (signature === this.signature) return;
    this.signature = signature;
    this.links.clear("memory");
    this.cells = arrays.map((array, number) => Array.from({ length: array.drawn }, (_, element) => {
      const node = html("i", { class: "cell", tabindex: -1, "data-array": array.name, "data-element": element });
      this.links.add(node, { element: cellKey(number, element), part: "memory" });
      return node;
    }));
    const rank = ({ space, name }) => (space === "shared" ? 2 : name === "out" ? 1 : 0);
    const order = arrays.map((_, number) => number).sort((one, other) => rank(arrays[one]) - rank(arrays[other]));
    this.element.replaceChildren(...order.map((number) => this.draw(arrays[number], this.cells[number])));
    this.drawn = new Map();
  }

  draw(array, cells) {
    const { name, space, shape, size, drawn, width, dtype, itemsize, segmented } = array;
    const shared = space === "shared";
    const said = `${space} memory, ${shape.length > 1 ? shape.join(" × ") : size} ${dtype}${drawn < size ? `, of which ${drawn} are used` : ""}, ${size * itemsize} bytes`;
    const table = html("div", { class: "rows", role: "group", "aria-label": `${name}, ${space} memory`, style: `--width: ${width}` },
      ...(shared ? Array.from({ length: width }, (_, bank) => html("small", {}, bank)) : []), ...cells);
    if (!segmented) cells.forEach((node, element) => place(node, indexAt(shape, element), shape.at(-1)));
    this.links.listen(table);
    const lines = shared ? "a column is a bank" : segmented ? "a row is a segment of 128 bytes" : "";
    return html("figure", { class: `array ${space}${drawn > PIXELS ? " pixels" : ""}${segmented ? " wide" : ""}`, "data-name": name },
      html("figcaption", {}, html("b", {}, name), html("small", {}, [said, lines].filter(Boolean).join("; "))), table);
  }

  // Numbers as they are after a step; only what has changed is touched.
  paint(launch, at) {
    const stored = launch.stored(at);
    const step = launch.steps[at];
    this.cells.forEach((cells, number) => {
      const { values } = this.arrays[number];
      cells.forEach((node, element) => this.write(node, stored[number].get(element) ?? (values ? decode(values[element]) : undefined)));
    });
    for (const node of this.painted) node.classList.remove("read", "write", "atomic", "moved", "conflict");
    this.painted = step && step.array !== null ? this.light(launch, step) : [];
  }

  write(node, value) {
    if (this.drawn.has(node) && Object.is(this.drawn.get(node), value)) return;
    this.drawn.set(node, value);
    node.classList.toggle("pending", value === undefined);
    node.classList.toggle("positive", value > 0);
    node.classList.toggle("negative", value < 0);
    node.textContent = value === undefined ? "" : format(value, 3);
  }

  light(launch, step) {
    const cells = this.cells[step.array];
    const touched = new Set(step.elements);
    const painted = [...touched].map((element) => cells[element]);
    painted.forEach((node) => node.classList.add(step.kind));
    if (this.arrays[step.array].space === "shared") {
      for (const [element, turn] of launch.turns(step)) cells[element].classList.toggle("conflict", turn > 0);
      return painted;
    }
    const unit = SECTOR / this.arrays[step.array].itemsize;
    for (const sector of new Set(step.elements.map((element) => Math.floor(element / unit)))) {
      const others = cells.slice(unit * sector, unit * (sector + 1)).filter((_, k) => !touched.has(unit * sector + k));
      others.forEach((node) => node.classList.add("moved"));
      painted.push(...others);
    }
    return painted;
  }
}

// Images stand side by side: an index is [image, row, column], or that of a matrix.
function place(node, index, width) {
  const [column, row, image = 0] = index.toReversed();
  node.style.gridArea = `${row + 1} / ${image * width + column + 1}`;
  node.classList.toggle("apart", image > 0 && column === 0);
}
