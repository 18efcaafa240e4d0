// The whole: the image and what it is taken for, the convolutions, confusions and mistakes, and the losses.

class ImageBoard extends LiveBoard {
  constructor(root) {
    super(root);
    this.probe = new ProbePanel((probe) => this.send("change", { probe }));
    this.stages = new Stages();
    this.verdicts = new Verdicts((probe) => this.send("change", { probe }));
    const side = html("div", { class: "side" }, this.probe.element, this.curves.element);
    root.replaceChildren(html("div", { class: "live" }, this.transport.element, this.problem, html("div", { class: "body" }, side, html("div", { class: "main" }, this.stages.element, this.verdicts.element))));
  }

  build(data) { this.probe.build(data); }

  paint(frame) {
    const { shape } = frame;
    const parts = partsOf(frame);
    const dark = this.root.dataset.theme === "dark";
    this.probe.paint(shape, parts, dark, this.scale);
    this.stages.paint(shape, parts, this.scale);
    this.verdicts.paint(shape, parts, dark);
  }
}

export default mounting(ImageBoard);
