// What belongs together: every cell and slot that shows the same element of x, lit and pinned as one.

class Links {
  // `changed(cell)` hears which cell is looked at: the hovered one, else the pinned one, else undefined.
  constructor(changed) {
    this.changed = changed;
    this.parts = new Map(); // part -> key -> its nodes
    this.cells = new WeakMap();
    this.lit = [];
  }

  // The cells of one part are about to be made anew.
  clear(part) { this.parts.set(part, new Map()); }

  // A cell is {element, position, index?, part}; those outside the storage are linked by their position.
  add(node, cell) {
    const key = cell.element === OUTSIDE ? `slot ${cell.position}` : cell.element;
    this.cells.set(node, { ...cell, key, node });
    const nodes = this.parts.get(cell.part);
    if (!nodes.has(key)) nodes.set(key, []);
    nodes.get(key).push(node);
  }

  // Every node of a key, in all parts or in one.
  nodes(key, part) {
    const parts = part ? [this.parts.get(part)] : [...this.parts.values()];
    return parts.flatMap((nodes) => nodes?.get(key) ?? []);
  }

  // Hidden parts link nothing.
  drop(part) { this.parts.delete(part); }

  // Makes the cells inside `container` light their partners, by pointer and by focus; a click pins.
  listen(container) {
    const cellOf = (event) => this.cells.get(event.target.closest?.(".cell"));
    container.addEventListener("pointerover", (event) => this.hover(cellOf(event)));
    container.addEventListener("pointerleave", () => this.hover());
    container.addEventListener("focusin", (event) => this.hover(cellOf(event)));
    container.addEventListener("focusout", () => this.hover());
    container.addEventListener("click", (event) => { if (cellOf(event)) this.pin(cellOf(event)); });
    container.addEventListener("keydown", (event) => this.key(event, cellOf(event)));
  }

  key(event, cell) {
    if (cell && (event.key === "Enter" || event.key === " ")) this.pin(cell);
    else if (event.key === "Escape" && this.pinned) this.pin();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  hover(cell) {
    if (cell === this.hovered) return;
    this.hovered = cell;
    this.light();
  }

  // Pinned cells stay lit while others are looked at; pinning the same again lets it go.
  pin(cell) {
    for (const node of this.held ?? []) node.classList.remove("pinned");
    this.pinned = cell?.key === this.pinned?.key ? undefined : cell;
    this.held = this.pinned ? this.nodes(this.pinned.key) : [];
    for (const node of this.held) node.classList.add("pinned");
    this.light();
  }

  light() {
    const cell = this.hovered ?? this.pinned;
    for (const node of this.lit) node.classList.remove("lit", "current");
    this.lit = cell ? this.nodes(cell.key) : [];
    for (const node of this.lit) node.classList.add("lit");
    cell?.node.classList.add("current");
    this.changed(cell);
  }

  // The same element as a cell of another part: the slot of a cell, the cells of a slot.
  partner(cell, part) {
    return this.nodes(cell.key, part).map((node) => this.cells.get(node));
  }
}
