// The whole: a text and its tokens, the filters, the mistakes, and the losses.

class TextBoard extends LiveBoard {
  constructor(root) {
    super(root);
    const look = (word) => this.send("change", { word });
    this.text = new TextPanel(look);
    this.filters = new Filters(look);
    root.replaceChildren(html("div", { class: "live" }, this.transport.element, this.problem, this.text.element, html("div", { class: "body" }, this.filters.element, this.curves.element)));
  }

  build(data) {
    this.text.build(data);
    this.filters.build(data);
  }

  paint(frame) {
    const { shape } = frame;
    const parts = partsOf(frame);
    this.text.paint(shape, parts, this.scale);
    this.filters.paint(shape, parts, this.scale);
  }
}

export default mounting(TextBoard);
