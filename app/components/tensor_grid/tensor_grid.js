// The whole: steps above, x and its storage on the left, the view on the right, the formula below; all linked.

const CLICKER = { PageDown: "ArrowRight", PageUp: "ArrowLeft", Home: "start", r: "start", R: "start" };

class Board {
  constructor(root) {
    this.root = root;
    this.channel = new ChangeChannel((change) => this.send("change", change));
    this.links = new Links((cell) => this.look(cell));
    this.steps = new StepTable((k) => this.show(k, true));
    this.x = new Grid("x", "x", this.links);
    this.ribbon = new Ribbon(this.links);
    this.view = new Grid("view", "view", this.links);
    this.table = new LayoutTable({ edit: (layout, final) => this.offer("layout", layout, final), place: (letters) => this.place(letters) });
    this.formula = new Formula();
    this.walk = new Walk((k) => this.visit(k));
    this.problem = html("p", { class: "problem", role: "alert", hidden: true });
    this.view.title.after(this.table.element, this.problem);
    root.replaceChildren(html("div", { class: "board" }, this.steps.element,
      html("div", { class: "left" }, this.x.element, this.ribbon.element), html("div", { class: "right" }, this.view.element),
      html("footer", {}, this.formula.element, this.walk.element)));
    this.stopListening = listenAnywhere(root, (event, target) => this.present(event, target));
  }

  // New data from Python. What is pinned and on show stays while the steps are the same ones.
  update(data, send) {
    const texts = JSON.stringify(data.steps.map(({ text }) => text));
    const same = texts === this.texts && !data.editable;
    Object.assign(this, { data, send, texts, numbers: new Numbers(data.values) });
    this.root.toggleAttribute("data-veiled", data.veiled);
    this.channel.answered();
    if (!same) {
      this.shown = data.shown;
      this.letters = data.axes;
    }
    this.steps.build(data.steps, data.refused);
    this.paint();
  }

  get step() { return this.data.steps[this.shown]; }

  paint() {
    const { data, step, links } = this;
    const pinned = links.pinned?.key;
    links.hovered = undefined;
    if (links.pinned) links.pin();
    const rank = step.grid.shape.length;
    this.places = placesOf(rank, this.letters);
    this.steps.paint(this.shown);
    const [first] = data.steps;
    this.x.element.hidden = this.shown === 0;
    if (this.shown === 0) this.x.clear();
    else this.x.build(first.grid, placesOf(first.grid.shape.length, ""), this.numbers);
    this.ribbon.build(data.storages[step.memory], this.numbers, step.memory > 0, data.veiled);
    this.view.title.textContent = this.shown ? `x${data.steps.slice(1, this.shown + 1).map(({ text }) => text).join("")}` : "x";
    this.view.build(step.grid, this.places, this.numbers);
    this.table.build(step.grid, this.places, { ...data, editable: data.editable && this.shown > 0 });
    this.problem.textContent = step.problem;
    this.problem.hidden = !step.problem;
    this.walk.build(step.grid, data.storages[step.memory].line);
    this.ribbon.showLine();
    const [node] = pinned === undefined ? [] : links.nodes(pinned);
    if (node) links.pin(links.cells.get(node));
    else links.light();
    this.root.dataset.step = this.shown;
  }

  // Another step; `chosen` by hand, which the address is to remember.
  show(k, chosen) {
    const wanted = clamp(k, 0, this.data.steps.length - 1);
    if (wanted === this.shown) return;
    this.shown = wanted;
    this.letters = "";
    this.paint();
    if (chosen) this.offer("step", { step: wanted, axes: "" }, true);
  }

  place(letters) {
    this.letters = letters.join("");
    this.paint();
    this.offer("axes", { axes: this.letters }, true);
  }

  offer(name, value, final) { this.channel.offer({ name, value, final }); }

  // The cell that is looked at, wherever it is, as one of the view's: its formula, its number.
  look(cell) {
    const { grid } = this.step;
    const own = cell && (cell.part === "view" ? cell : this.links.partner(cell, "view")[0]);
    if (!cell) return this.formula.general(grid);
    if (!own) return this.formula.say(cell.part === "storage" ? `Slot ${format(cell.position)}: no drawn cell of the view reads it.` : `x${`[${cell.index.join(", ")}]`}: no drawn cell of the view shows it.`);
    const others = this.links.partner(own, "view").filter(({ index }) => index !== own.index);
    return this.formula.show(grid, own, this.numbers.of(own.element), others);
  }

  visit(k) {
    const index = this.walk.show(k);
    const { links } = this;
    const cell = links.cells.get(this.view.find(index));
    if (links.pinned?.node !== cell.node) {
      links.pinned = undefined;
      links.pin(cell);
    }
    this.ribbon.showLine(Math.floor(cell.position / this.data.storages[this.step.memory].line));
    this.ribbon.reveal(cell.position);
  }

  // A presenter's arrows and clicker: left and right through the steps, up and down through the elements.
  present(event, target) {
    if (target.closest?.(USES_KEYS) || target.closest?.(".cell")) return false;
    const key = CLICKER[event.key] ?? event.key;
    const at = Number(this.walk.range.value);
    const actions = {
      ArrowRight: () => this.show(this.shown + 1),
      ArrowLeft: () => this.show(this.shown - 1),
      ArrowDown: () => this.visit(Math.min(at + 1, Number(this.walk.range.max))),
      ArrowUp: () => this.visit(Math.max(at - 1, 0)),
      start: () => this.show(this.data.shown),
    };
    if (!actions[key] || (this.walk.element.hidden && /Up|Down/.test(key))) return false;
    actions[key]();
    return true;
  }

  destroy() {
    this.stopListening();
  }
}

export default mounting(Board);
