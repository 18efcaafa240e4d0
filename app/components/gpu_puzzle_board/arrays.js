// Arrays as rows of numbers with their indices; beside out what it is to hold, and where it is wrong.

const ORDER = { global: 0, shared: 1 };

class Arrays extends Memory {
  build({ arrays, target, wrong, grid, block, fault }) {
    Object.assign(this, { fault: fault?.block === block ? fault : undefined, target: target.map(decode), wrong: new Set(wrong), isLast: block === sizeOf(grid) - 1 });
    super.build(arrays);
    this.goal();
  }

  draw(array, cells) {
    const { name, space, shape } = array;
    const said = space === "shared" ? "shared by the block" : name === "out" ? "global memory, to be written" : "global memory";
    const figure = html("figure", { class: `array ${space}`, "data-name": name, style: `order: ${name === "out" ? 2 : ORDER[space]}` },
      html("figcaption", {}, html("b", {}, name), html("small", {}, said)), this.table(shape, cells, `${name}, ${space} memory`));
    this.links.listen(figure);
    if (name !== "out") return figure;
    this.goals = cells.map((_, element) => html("i", { class: "cell goal", "data-goal": element }));
    this.wanted = html("figure", { class: "array", style: "order: 3" }, html("figcaption", {}, html("b", {}, "wanted"), html("small", {}, "what out is to hold")), this.table(shape, this.goals, "what out is to hold"));
    return figure;
  }

  // Indices above the columns, and of a matrix before the rows.
  table(shape, cells, label) {
    const [rows, columns] = [1, ...shape].slice(-2);
    const heading = (index) => html("small", {}, index);
    const made = [];
    for (let row = 0; row < rows; row += 1) made.push(...(shape.length > 1 ? [heading(row)] : []), ...cells.slice(row * columns, (row + 1) * columns));
    const corner = shape.length > 1 ? [html("small", {})] : [];
    return html("div", { class: `table${shape.length > 1 ? " matrix" : ""}`, role: "group", "aria-label": label, style: `--width: ${columns}` }, ...corner, ...Array.from({ length: columns }, (_, k) => heading(k)), ...made);
  }

  goal() {
    this.element.append(this.wanted);
    this.goals.forEach((node, element) => {
      node.textContent = format(this.target[element], 3);
      node.classList.toggle("missed", this.wrong.has(element));
    });
  }

  // An element is marked once it holds a wrong number, and at the very end where none was stored.
  paint(launch, at) {
    this.blamed = this.fault?.steps.includes(at) ? this.fault.threads : [];
    super.paint(launch, at);
    const out = this.arrays.findIndex(({ name }) => name === "out");
    const stored = launch.stored(at)[out];
    this.cells[out].forEach((node, element) => {
      const value = stored.get(element);
      node.classList.toggle("missed", this.wrong.has(element) && ((this.isLast && at === launch.last) || (value !== undefined && value !== this.target[element])));
    });
  }

  // Cells lit by what the step does, and those outlined that the threads at fault touch.
  light(launch, step) {
    const painted = [...new Set(step.elements)].map((element) => this.cells[step.array][element]);
    painted.forEach((node) => node.classList.add(step.kind));
    step.threads.forEach((thread, k) => { if (this.blamed.includes(thread)) this.cells[step.array][step.elements[k]].classList.add("conflict"); });
    return painted;
  }
}
