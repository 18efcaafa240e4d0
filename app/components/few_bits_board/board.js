// Training in few bits: the question, the curves of all lanes, and the lanes one below the other.

class FewBitsBoard extends LiveBoard {
  constructor(root) {
    super(root);
    this.curves = new LaneCurves((epoch, final) => this.seek(epoch, final), (lane) => this.look(lane));
    this.prediction = new Prediction();
    this.list = html("div", { class: "lanes" });
    this.lanes = [];
    this.add = html("select", { class: "add", "aria-label": "add a lane", onchange: (event) => { this.edit({ add: event.target.value }); event.target.selectedIndex = 0; } });
    this.edits = []; // that the page has not confirmed
    this.titles = html("div", { class: "titles", "aria-hidden": "true" }, html("span", {}, "Lane"), html("span", {}, "Test accuracy"), html("span", {}, "Updates lost"),
      html("div", {}, html("span", {}, "Size of gradients, and what their format holds"), exponentAxis()));
    root.replaceChildren(html("div", { class: "live few-bits" }, this.transport.element, this.problem, this.remark, this.prediction.element, this.curves.element, this.titles, this.list, this.add));
  }

  build(data) {
    this.edits = this.edits.filter(({ number }) => number > data.seen);
    while (this.lanes.length > data.lanes.length) this.lanes.pop().element.remove();
    while (this.lanes.length < data.lanes.length) {
      const number = this.lanes.length;
      const lane = new Lane((name, value) => this.change(number, name, value));
      this.lanes.push(lane);
      this.list.append(lane.element);
    }
    this.lanes.forEach((lane, number) => lane.build(data.lanes[number], data, number));
    this.curves.build(data);
    this.prediction.build(data);
    this.add.hidden = data.present || data.lanes.length >= data.most_lanes;
    this.add.replaceChildren(html("option", { value: "", disabled: true, selected: true }, "Add a lane…"), ...data.presets.map(([name, text]) => html("option", { value: text }, name)));
  }

  change(number, name, value) {
    if (name === "look") this.look(value ? number : undefined);
    if (name === "set") this.edit({ lane: number, ...value });
    if (name === "remove") this.edit({ remove: number });
  }

  // Every edit is sent, with a number, until the page says that it has seen it: messages can be lost.
  edit(change) {
    this.latest = Math.max(Date.now(), (this.latest ?? 0) + 1);
    this.edits.push({ ...change, number: this.latest });
    this.insist();
  }

  insist() {
    clearTimeout(this.insisting);
    if (!this.edits.length) return;
    this.send("change", { edits: this.edits });
    this.insisting = setTimeout(() => this.insist(), PATIENCE);
  }

  look(lane) {
    if (lane === this.looked) return;
    this.looked = lane;
    this.lanes.forEach(({ element }, number) => element.toggleAttribute("data-looked", number === lane));
    this.curves.highlight(lane);
  }

  paint(frame) {
    this.prediction.draw(this.stream, frame);
    const found = lanesOf(frame);
    if (found.length !== this.lanes.length) return; // the page is about to say which lanes these are
    this.lanes.forEach((lane, number) => lane.paint(found[number], frame.shape, this.data.seeds));
  }
}

export default mounting(FewBitsBoard);
