// The whole: the slider through the run on top, its curves, the layers at that moment, the examinations.

class DoctorBoard {
  constructor(root) {
    this.root = root;
    this.channel = new ChangeChannel((change) => this.send("change", change));
    this.stepper = new Stepper((moment, settled) => this.choose(moment, settled), "moment", "moment of the run");
    const scrub = (x, final) => this.choose(this.nearest(x), final);
    this.losses = new Lines("loss over the steps", scrub);
    this.ratios = new Lines("update over weight, layer by layer, over the steps", scrub);
    this.layers = new Layers();
    this.cards = new Cards();
    this.legend = html("div", { class: "legend" });
    const plot = (title, picture, below) => html("figure", { class: "wide" }, html("figcaption", {}, title), picture, below ?? "");
    root.replaceChildren(html("div", { class: "doctor" }, this.stepper.transport,
      html("div", { class: "plots" }, plot("Loss", this.losses.svg, this.legend), plot("Update / weight, by layer", this.ratios.svg, html("p", { class: "legend" }, "each weight matrix: length of its update over its own length"))),
      this.layers.element, html("h3", {}, "Examinations"), this.cards.element));
    this.stopListening = listenAnywhere(root, (event, target) => this.stepper.present(event, target));
  }

  update(data, send) {
    this.send = send;
    this.channel.answered();
    if (data.signature !== this.signature) this.build(data);
    else if (!this.channel.busy && data.moments[this.moment] !== data.step) this.show(data.moments.indexOf(data.step));
  }

  build(data) {
    Object.assign(this, { data, signature: data.signature });
    this.stepper.pause();
    this.stepper.limit(data.moments.length - 1);
    this.losses.draw(data.losses);
    this.ratios.draw(data.ratios);
    this.legend.replaceChildren(...data.legend.map(({ kind, name }) => html("span", {}, html("i", { class: kind }), name)));
    this.layers.build(data);
    this.cards.build(data);
    this.show(data.moments.indexOf(data.step));
  }

  nearest(step) {
    return this.data.moments.reduce((best, at, k) => (Math.abs(at - step) < Math.abs(this.data.moments[best] - step) ? k : best), 0);
  }

  choose(moment, settled) {
    this.show(moment);
    if (settled) this.channel.offer({ name: "step", value: this.data.moments[this.moment], final: true });
  }

  show(moment) {
    const { data } = this;
    this.moment = clamp(moment, 0, data.moments.length - 1);
    const step = data.moments[this.moment];
    const { words, rows } = data.patient.figures[this.moment];
    this.stepper.stand(this.moment, words);
    this.losses.point(step);
    this.ratios.point(step);
    this.layers.show(this.moment);
    this.cards.showStep(rows);
    this.root.dataset.step = step;
  }

  destroy() {
    this.stepper.pause();
    this.stopListening();
  }
}

export default mounting(DoctorBoard);
