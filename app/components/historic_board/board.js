// The whole: the net and its patterns or people, what is looked at, other seeds, and the losses.

class HistoricBoard extends LiveBoard {
  constructor(root) {
    super(root);
    const look = (fields) => this.send("change", fields);
    const lookAt = (pattern) => look({ pattern });
    this.card = new Card((name, value) => { this.stream.send({ do: "edit", name, value }); this.moved(); });
    this.units = new Units((name, value, event, held) => this.touch(name, value, event, held));
    this.sums = new Sums();
    this.patterns = new PatternGrid(lookAt);
    this.looked = new LookedAt(lookAt);
    this.people = new People(look);
    this.facts = new Facts(look);
    this.seeds = new SeedList((seed) => look({ seed }));
    this.ofBits = [this.units.element, html("div", { class: "pair" }, this.patterns.element, this.sums.element), this.looked.element];
    this.ofFamilies = [this.people.element, this.facts.element, this.facts.ask];
    const [net, pair, looked] = this.ofBits;
    const [people, knowledge, ask] = this.ofFamilies;
    root.replaceChildren(html("div", { class: "live" }, this.transport.element, this.problem,
      html("div", { class: "body" }, html("div", { class: "main" }, net, pair, people, knowledge), html("div", { class: "side" }, looked, ask, this.curves.element)),
      this.seeds.element, this.card.element));
  }

  read(shape) { return { ...shape, linears: placed(shape.layers) }; }

  build(data) {
    const isFamily = data.task === "family trees";
    for (const part of this.ofBits) part.hidden = isFamily;
    for (const part of this.ofFamilies) part.hidden = !isFamily;
    this.sums.element.hidden = data.task !== "symmetry";
    this.root.toggleAttribute("data-all-shown", !isFamily); // nothing is held out
    if (isFamily) {
      this.people.build(data);
      this.facts.build(data);
    }
    this.seeds.build(data.seeds);
  }

  paint(frame) {
    const { shape } = frame;
    if (shape.task !== this.data.task) return; // a moment of the task that was left
    const parts = partsOf(frame);
    if (shape.task === "family trees") {
      this.people.paint(shape, parts, this.scale);
      this.facts.paint(shape, parts);
      return;
    }
    this.units.paint(shape, parts, this.scale, this.data);
    this.patterns.paint(shape, parts);
    this.looked.paint(shape, parts);
    if (shape.task === "symmetry") this.sums.paint(shape, parts, this.scale);
  }

  touch(name, weight, event, held) {
    if (name) this.card.show({ name, weight }, event, this.root.firstElementChild.getBoundingClientRect(), held);
    else this.card.hide(true);
  }
}

export default mounting(HistoricBoard);
