// The whole: input, kernel and output from left to right, their gradients below; above them what is looked at, written out.

const TITLES = { x: "x, the input", w: "w, the kernel", y: "y, the output", "x.grad": "∂L/∂x", "w.grad": "∂L/∂w", "y.grad": "∂L/∂y, what comes back" };

class Board {
  constructor(root) {
    this.root = root;
    this.channel = new ChangeChannel((change) => this.send("change", change));
    this.links = new Pairs((cell) => { if (cell) this.terms.show(this.data, this.meetings, cell); });
    this.transport = new Transport((step, settled) => this.choose(step, settled));
    this.ways = html("div", { class: "ways", role: "group", "aria-label": "forward and backward" });
    this.terms = new Terms();
    this.grids = this.makeGrids();
    root.replaceChildren(html("div", { class: "board convolution" }, this.transport.element, this.ways, html("footer", {}, this.terms.element)));
    this.stopListening = listenAnywhere(root, (event, target) => this.transport.present(event, target));
  }

  makeGrids() {
    const edited = (numbers, final) => this.channel.offer({ name: "weights", value: { own: numbers.join(", ") }, final });
    const made = (part, title) => (part === "w" ? new Kernel(part, title, this.links, edited) : new Picture(part, title, this.links, () => outsideOf(this.data)));
    return Object.fromEntries(Object.entries(TITLES).map(([part, title]) => [part, made(part, title)]));
  }

  update(data, send) {
    const shapes = JSON.stringify([data.meetings, data.output.shape]);
    const same = shapes === this.shapes;
    Object.assign(this, { data, send, shapes, meetings: new Meetings(data) });
    this.links.meetings = this.meetings;
    this.root.toggleAttribute("data-veiled", data.veiled);
    this.channel.answered();
    this.transport.build(data);
    this.build();
    this.show(same ? this.step : data.step);
  }

  build() {
    const { data } = this;
    this.flat = data.output.shape.length === 2;
    this.ways.classList.toggle("flat", this.flat);
    const tensors = { x: data.input, w: data.weight, y: data.output, "x.grad": data.input_gradient, "w.grad": data.weight_gradient, "y.grad": data.upstream };
    for (const [part, tensor] of Object.entries(tensors)) this.draw(part, tensor);
    const shown = (part) => (tensors[part] ? this.grids[part].element : html("span"));
    this.place(1, [heading3("forward →", "forward"), shown("x"), sign(data.sign), shown("w"), sign("="), shown("y")]);
    this.place(2, [heading3("← backward", "backward"), shown("x.grad"), sign("⇠"), shown("w.grad"), sign(data.weight ? "⇠" : ""), shown("y.grad")]);
  }

  draw(part, tensor) {
    const grid = this.grids[part];
    if (!tensor) return grid.clear();
    grid.build(tensor, placesOf(tensor.shape.length, ""), new Numbers(tensor.values));
    // of a kernel, rows are output channels and columns the input channels of each
    if (part.startsWith("w") && tensor.shape.length === 4) grid.panels.style.setProperty("--per-row", tensor.shape[1]);
    else grid.panels.style.removeProperty("--per-row");
    const said = part.endsWith(".grad") ? "" : part === "w" ? `${listed(tensor.shape)}: drag a number, or type` : listed(tensor.shape);
    return grid.title.replaceChildren(TITLES[part], html("small", {}, said));
  }

  // Row 1 is forward, row 2 backward; a tensor is above its gradient. Sequences, which are long and low, go
  // the other way: column 1 is forward, column 2 backward. What is in place already stays.
  place(row, elements) {
    elements.forEach((element, column) => {
      element.style.gridArea = this.flat ? `${column + 1} / ${row}` : `${row} / ${column + 1}`;
      element.classList.add(row === 1 ? "forward" : "backward");
      const at = (row - 1) * elements.length + column;
      const there = this.ways.children[at];
      if (there === element) return;
      if (there) there.replaceWith(element);
      else this.ways.append(element);
    });
  }

  // What is pinned gives way to a step that is chosen.
  choose(step, settled) {
    if (this.links.pinned) this.links.pin();
    this.show(step);
    if (settled) this.channel.offer({ name: "step", value: { step: this.step }, final: true });
  }

  show(step) {
    this.step = clamp(step, 0, this.transport.last);
    this.transport.paint(this.step);
    this.root.dataset.step = this.step;
    this.links.renew({ part: "y", key: keyOf("y", indexAt(this.data.output.shape, this.step)) });
  }

  destroy() {
    this.transport.pause();
    this.stopListening();
  }
}

const sign = (text) => html("span", { class: "sign", "aria-hidden": "true" }, text);
const heading3 = (text, way) => html("h3", { class: way }, text);

export default mounting(Board);
