// The whole: the slider through the cycles on top, then X, the array, W and Y, and what is looked at written out.

const TITLES = { x: "X, activations", w: "W, weights", y: "Y = X · W" };
const ROOM = 18; // columns of X, of the array and of W that stand side by side

class Board {
  constructor(root) {
    this.root = root;
    this.channel = new ChangeChannel((change) => this.send("change", change));
    this.links = new PassageLinks((cell) => this.look(cell));
    this.stepper = new Stepper((cycle, settled) => this.choose(cycle, settled), "cycle", "cycle");
    this.facts = html("div", { class: "lengths" });
    this.grids = Object.fromEntries(Object.entries(TITLES).map(([part, title]) => [part, new Grid(part, title, this.links)]));
    this.elements = new Elements(this.links);
    this.terms = new Terms();
    const { x, w, y } = this.grids;
    this.ways = html("div", { class: "ways", role: "group", "aria-label": "matrices and the array" }, x.element, this.elements.element, html("div", { class: "right" }, w.element, y.element));
    root.replaceChildren(html("div", { class: "board systolic" }, html("section", { class: "alignment", "aria-label": "cycles" }, this.stepper.transport, this.facts), this.ways,
      html("footer", {}, this.terms.element)));
    this.stopListening = listenAnywhere(root, (event, target) => this.stepper.present(event, target));
  }

  update(data, send) {
    const signature = JSON.stringify([data.frames, data.rows, data.keeps_weights]);
    Object.assign(this, { data, send });
    this.root.toggleAttribute("data-veiled", data.veiled);
    this.channel.answered();
    this.facts.replaceChildren(...data.facts.map(({ name, text }) => html("span", {}, html("b", {}, name), ` ${text}`)));
    if (signature !== this.signature) this.build(signature);
    else this.show(this.cycle);
  }

  build(signature) {
    const { data } = this;
    this.signature = signature;
    this.passage = new Passage(data);
    Object.assign(this.links, { passage: this.passage, cycle: 0 });
    if (this.links.pinned) this.links.pin();
    this.stepper.limit(this.passage.last);
    for (const part of Object.keys(TITLES)) this.grids[part].build(data[part], placesOf(2, ""), new Numbers(data[part].values));
    this.elements.build(this.passage);
    this.ways.classList.toggle("large", data.x.shape[1] + data.columns + data.y.shape[1] > ROOM);
    this.largest = new Numbers(data.y.values).largest;
    this.show(data.step);
  }

  // What is pinned stays: it can be followed through the cycles.
  choose(cycle, settled) {
    this.show(cycle);
    if (settled) this.channel.offer({ name: "step", value: { step: this.cycle }, final: true });
  }

  show(cycle) {
    this.cycle = clamp(cycle, 0, this.passage.last);
    this.stepper.stand(this.cycle, this.root.hasAttribute("data-veiled") ? `cycle ${this.cycle + 1}` : `cycle ${this.cycle + 1} of ${this.passage.last + 1}`);
    this.root.dataset.step = this.cycle;
    this.elements.paint(this.cycle);
    this.paintOutput();
    this.links.stand(this.passage, this.cycle);
  }

  // Elements of Y from which no sum has come yet are blank.
  paintOutput() {
    const stored = this.passage.stored(this.cycle);
    for (const node of this.grids.y.panels.querySelectorAll(".cell")) {
      const value = stored.get(node.dataset.index);
      node.classList.toggle("pending", value === undefined);
      node.classList.toggle("positive", value > 0);
      node.classList.toggle("negative", value < 0);
      node.style.setProperty("--share", `${(100 * Math.min(1, Math.abs(value ?? 0) / this.largest)).toFixed(0)}%`);
      node.textContent = value === undefined ? "" : format(value);
    }
  }

  look(cell) {
    if (cell && this.passage) this.terms.show(this.passage, this.cycle, cell.key);
  }

  destroy() {
    this.stepper.pause();
    this.stopListening();
  }
}

export default mounting(Board);
