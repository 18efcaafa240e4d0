// The whole: a text and its tokens, the filters, the mistakes, and the losses.

class TextBoard extends LiveBoard {
  constructor(root) {
    super(root);
    const look = (word) => this.send("change", { word });
    this.text = new TextPanel(look);
    this.filters = new Filters(look);
    root.replaceChildren(html("div", { class: "live" }, this.transport.element, this.problem, this.text.element, html("div", { class: "body" }, this.filters.element, this.curves.element)));
  }

  // Where the parts of a row lie.
  read(shape) {
    let at = 0;
    const places = Object.entries(shape.lengths).map(([name, length]) => { at += length; return [name, at - length, at]; });
    return { ...shape, places };
  }

  build(data) {
    this.text.build(data);
    this.filters.build(data);
  }

  paint({ shape, row }) {
    const parts = Object.fromEntries(shape.places.map(([name, from, to]) => [name, row.subarray(from, to)]));
    this.text.paint(shape, parts, this.scale);
    this.filters.paint(shape, parts, this.scale);
  }
}

export default mounting(TextBoard);
