// The whole: alignment above, forward from left to right, backward from right to left, the sum below; all linked.

const CLICKER = { PageDown: "ArrowRight", PageUp: "ArrowLeft", Home: "start", r: "start", R: "start" };

class Board {
  constructor(root) {
    this.root = root;
    this.channel = new ChangeChannel((change) => this.send("change", change));
    this.links = new Relations((cell) => this.look(cell));
    this.alignment = new Alignment((step) => this.show(step, true));
    this.ways = html("div", { class: "ways", role: "group", "aria-label": "forward and backward" });
    this.sums = new Sums();
    this.grids = new Map();
    root.replaceChildren(html("div", { class: "board" }, this.alignment.element, this.ways, html("footer", {}, this.sums.element)));
    this.stopListening = listenAnywhere(root, (event, target) => this.present(event, target));
  }

  update(data, send) {
    const signature = JSON.stringify([data.rows, data.columns]);
    const same = signature === this.signature;
    Object.assign(this, { data, send, signature });
    this.root.toggleAttribute("data-veiled", data.veiled);
    this.channel.answered();
    this.alignment.build(data);
    if (!same) this.step = clamp(data.step, 0, this.alignment.last);
    this.build();
    this.show(this.step);
  }

  build() {
    const { data, links } = this;
    if (links.pinned) links.pin();
    links.hovered = undefined;
    if (!data.output) {
      this.ways.replaceChildren(html("p", { class: "empty" }, "no result: these shapes do not broadcast"));
      this.reads = [];
      links.relate(new Map());
      return this.sums.hint();
    }
    this.reads = drawnReads(data);
    links.relate(relations(data, this.reads));
    const last = 2 * data.operands.length;
    this.ways.replaceChildren(
      at(1, 0, html("h3", { class: "forward" }, "forward →")), at(2, 0, html("h3", { class: "backward" }, "← backward")),
      ...data.operands.flatMap((operand, k) => this.operand(operand, 2 * k + 1, k === data.operands.length - 1 ? "=" : data.sign)),
      at(1, last + 1, this.grid("result", "y, the result", data.output)), at(2, last, sign("⇠")),
      at(2, last + 1, this.grid("upstream", "∂L/∂y, what comes back", data.upstream)));
    links.light();
    return undefined;
  }

  // A tensor above its gradient, and what stands between it and the next.
  operand({ name, value, note, gradient, repeated }, column, next) {
    const drawn = { ...value, repeated: this.data.expanded ? repeated : [] };
    const summed = repeated.length ? `summed over dimension${repeated.length > 1 ? "s" : ""} ${repeated.join(", ")} of y` : "nothing to sum";
    return [at(1, column, this.grid(name, name, drawn, note)), at(1, column + 1, sign(next)), at(2, column, this.grid(`${name}.grad`, `∂L/∂${name}`, gradient, summed))];
  }

  // The grid of one tensor, made once and kept.
  grid(part, title, tensor, note = "") {
    if (!this.grids.has(part)) this.grids.set(part, new Grid(part, title, this.links));
    const made = this.grids.get(part);
    made.build(tensor, placesOf(tensor.shape.length, ""), new Numbers(tensor.values));
    made.title.replaceChildren(title, html("small", {}, note));
    return made.element;
  }

  show(step, chosen) {
    this.step = clamp(step, 0, this.alignment.last);
    this.alignment.paint(this.step);
    this.root.dataset.step = this.step;
    if (chosen) this.channel.offer({ name: "step", value: { step: this.step }, final: true });
  }

  look(cell) {
    if (!cell) return this.sums.hint();
    if (cell.part === "result" || cell.part === "upstream") {
      return this.sums.result(this.data, this.reads.find(({ position }) => position === cell.position));
    }
    if (this.data.veiled) return this.sums.hint();
    const k = this.data.operands.findIndex(({ name }) => name === cell.part.split(".")[0]);
    return this.sums.gradient(this.data, k, cell.position, this.reads);
  }

  // A presenter's arrows and clicker: one dimension on, one back.
  present(event, target) {
    if (target.closest?.(USES_KEYS) || target.closest?.(".cell")) return false;
    const actions = { ArrowRight: () => this.show(this.step + 1), ArrowLeft: () => this.show(this.step - 1), start: () => this.show(this.data.step) };
    const action = actions[CLICKER[event.key] ?? event.key];
    action?.();
    return Boolean(action);
  }

  destroy() {
    this.stopListening();
  }
}

const sign = (text) => html("span", { class: "sign", "aria-hidden": "true" }, text);

// Puts an element into the picture: row 1 is forward, row 2 backward; a tensor is above its gradient.
function at(row, column, element) {
  element.style.gridArea = `${row} / ${column + 1}`;
  element.classList.add(row === 1 ? "forward" : "backward");
  return element;
}

export default mounting(Board);
