// The row-major walk, scrubbed: which element comes when, and how many cache lines had to be gone to so far.

class Walk {
  constructor(visit) {
    this.range = html("input", { type: "range", min: 0, step: 1, value: 0, "aria-label": "element of the row-major walk", oninput: () => visit(Number(this.range.value)) });
    this.count = html("output", {});
    const move = (by) => () => visit(clamp(Number(this.range.value) + by, 0, Number(this.range.max)));
    this.element = html("div", { class: "walk", role: "group", "aria-label": "row-major walk" }, html("span", { class: "name" }, "row-major walk"),
      iconButton("previous", "element before", move(-1)), this.range, iconButton("next", "element after", move(1)), this.count);
  }

  build(grid, line) {
    this.grid = grid;
    const size = sizeOf(grid.shape);
    this.element.hidden = size === 0 || grid.elements.length !== size; // all drawn, or none can be walked
    this.range.max = Math.max(size - 1, 0);
    this.changes = [];
    let last;
    for (let k = 0; k < size && !this.element.hidden; k += 1) {
      const next = Math.floor(positionOf(grid, indexAt(grid.shape, k)) / line);
      this.changes.push((this.changes[k - 1] ?? 0) + (next !== last ? 1 : 0));
      last = next;
    }
    this.show(0);
  }

  // Returns the index of the k-th element.
  show(k) {
    this.range.value = k;
    const { shape } = this.grid;
    const changes = this.changes[k] ?? 0;
    this.count.textContent = `element ${k + 1} of ${this.changes.length}, ${changes} line change${changes === 1 ? "" : "s"}`;
    return indexAt(shape, k);
  }
}
