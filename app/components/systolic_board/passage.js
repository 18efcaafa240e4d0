// What passes through which element in which cycle, and so which cells belong together.

const FIELDS = 12; // of an element in a cycle: example, input, output, activation, weight, sum before and after, what stays (two indices, value), what waits (whether, value)
const keyOf = (part, ...index) => `${part} ${index.join(",")}`;

class Passage {
  constructor({ frames, rows, columns, keeps_weights: keepsWeights, x, w, y }) {
    Object.assign(this, { rows, columns, keepsWeights, x, w, y });
    this.cycles = frames.map((frame) => Array.from({ length: rows * columns }, (_, at) => this.read(frame.slice(at * FIELDS, (at + 1) * FIELDS), at)));
    this.met = new Map(); // key of a cell -> all that happens to it: {cycle, element}
    this.cycles.forEach((elements, cycle) => elements.forEach((element) => {
      for (const key of [element.key, ...element.cells]) this.list(key).push({ cycle, element });
    }));
    this.leaving = this.cycles.map((elements) => elements.filter((element) => this.leaves(element)));
  }

  read([i, k, j, activation, weight, before, after, a, b, stays, waits, next], at) {
    const busy = i >= 0;
    const real = busy && i < this.y.shape[0] && k < this.x.shape[1] && j < this.y.shape[1];
    const kept = a >= 0 && a < (this.keepsWeights ? this.w : this.y).shape[0] && b < this.y.shape[1];
    const place = [Math.floor(at / this.columns), at % this.columns];
    return { at, place, key: keyOf("pe", ...place), busy, real, kept, i, k, j, activation, weight, before, after, stays, next: waits ? next : undefined, holds: a >= 0 ? keyOf(this.keepsWeights ? "w" : "y", a, b) : undefined,
      cells: real ? [keyOf("x", i, k), keyOf("w", k, j), keyOf("y", i, j)] : [] };
  }

  list(key) {
    if (!this.met.has(key)) this.met.set(key, []);
    return this.met.get(key);
  }

  get last() { return this.cycles.length - 1; }

  // Whether an element's sum is handed over to Y: at the bottom, or when its last product is done.
  leaves({ busy, place, k, i, j }) {
    if (!busy || i >= this.y.shape[0] || j >= this.y.shape[1]) return false;
    return this.keepsWeights ? place[0] === this.rows - 1 : k === this.x.shape[1] - 1;
  }

  // What Y holds at the end of a cycle: "i,j" -> number.
  stored(cycle) {
    const found = new Map();
    for (const { i, j, after } of this.leaving.slice(0, cycle + 1).flat()) found.set(`${i},${j}`, (found.get(`${i},${j}`) ?? 0) + after);
    return found;
  }

  // The cells that light up with one in this cycle …
  lit(key, cycle) {
    if (key === "step") return this.cycles[cycle].flatMap(({ cells }) => cells);
    const now = this.list(key).filter((one) => one.cycle === cycle).map(({ element }) => element);
    if (!key.startsWith("pe")) return [key, ...now.flatMap((element) => [element.key, ...element.cells])];
    const idle = now.flatMap(({ cells, holds }) => (cells.length || !holds ? [] : [holds]));
    return [key, ...now.flatMap(({ cells }) => cells), ...idle];
  }

  // … and those it has to do with in other cycles.
  touched(key) {
    if (key === "step") return [];
    const others = key.startsWith("pe") ? ({ cells }) => cells : (element) => [element.key, ...(key.startsWith("y") ? element.cells : [])];
    return this.list(key).flatMap(({ element }) => others(element));
  }
}

// Cells lit by what passes; if nothing is pointed at, what is multiplied in the cycle.
class PassageLinks extends SteppedLinks {
  add(node, cell) { super.add(node, { ...cell, element: keyOf(cell.part, ...cell.index) }); }

  nodes(key) { return [...new Set(this.passage.lit(key, this.cycle))].flatMap((one) => super.nodes(one)); }

  light() {
    super.light();
    for (const node of this.near ?? []) node.classList.remove("touched");
    const cell = this.hovered ?? this.pinned;
    this.near = cell ? [...new Set(this.passage.touched(cell.key))].flatMap((one) => super.nodes(one)) : [];
    for (const node of this.near) node.classList.add("touched");
  }

  stand(passage, cycle) {
    Object.assign(this, { passage, cycle });
    const pointed = this.hovered !== this.stepped && this.hovered?.node.isConnected ? this.hovered : undefined;
    this.stepped = { key: "step", node: html("span") };
    this.hovered = pointed ?? (this.pinned ? undefined : this.stepped);
    this.light();
  }
}
