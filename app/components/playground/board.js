// The Playground: sets of points, the net, what it gives in every place, and the losses.

const SIZES = [64, 48, 32, 20]; // points of the grid along an edge: fewer where drawing takes too long

class Playground extends LiveBoard {
  constructor(root) {
    super(root);
    this.size = 0;
    this.card = new Card((name, value) => { this.stream.send({ do: "edit", name, value }); this.moved(); });
    this.network = new Network((name, value) => this.do(name, value), (place) => { this.looked = place; this.ask(); },
      (link, event) => (link ? this.card.show(this.parameter(link), event, this.frameBox(), false) : this.card.hide(true)));
    this.output = new OutputPicture((points) => this.send("change", { points }));
    this.space = new HiddenSpace(() => this.ask());
    this.output.square.append(this.space.canvas);
    this.output.element.append(this.space.controls);
    this.sets = new Sets((fields) => this.send("change", fields));
    this.pull = new Pull();
    this.sample = new SeenSample();
    this.strip = new SeedStrip((seed) => this.send("change", { seed }));
    this.body = html("div", { class: "body" }, this.network.element, html("div", { class: "side" }, this.output.element, this.sample.element, this.curves.element, this.pull.element));
    root.replaceChildren(html("div", { class: "live" }, this.sets.element, this.transport.element, this.problem, this.remark, this.body, this.strip.element, this.card.element));
  }

  read(shape) { return { ...shape, parts: layersOf(shape) }; }

  build(data) {
    this.sets.build(data, this.scale);
    this.network.build(data);
    this.output.build(data);
    this.space.build(data);
    if (this.reach !== String(data.reach)) this.grids = SIZES.map((size) => new Grid(size, data.reach));
    this.reach = String(data.reach);
    this.pull.build(data.gradient, this.scale);
    this.sample.build(data.sample);
    this.strip.build(data.seeds, this.grids.at(-1), this.scale);
  }

  do(name, value) {
    if (this.data.watching) return;
    if (name === "features" || name === "hidden") this.send("change", { [name]: value });
    else if (name === "hold") {
      this.card.show(this.parameter(value), value.event, this.frameBox(), true);
      this.send("change", { weight: value.name });
    }
    else super.do(name, value);
  }

  paint(frame) {
    const grid = this.grids[this.size];
    const values = [frame.shape.inputs.map((name) => grid.feature(name)), ...grid.forward(frame.shape.parts, frame.shape.inputs, frame.row)];
    this.network.draw(frame, values, grid, this.scale);
    const place = this.looked && values[this.looked.layer]?.[this.looked.unit] ? this.looked : undefined;
    const title = !place || place.layer === values.length - 1 ? "Output" : place.layer === 0 ? frame.shape.inputs[place.unit] : `Layer ${place.layer}, unit ${place.unit + 1}`;
    const seen = place ? undefined : this.space.draw(frame, this.scale);
    if (place) this.space.canvas.hidden = true; // while a unit is pointed at, it is what is shown
    this.mark();
    this.output.draw(place ? values[place.layer][place.unit] : values.at(-1)[0], grid.size, this.scale, seen ?? title);
  }

  // The latest sample of a batch that is looked at one by one: its values in the units, its place among the points.
  mark() {
    const { state } = this.stream;
    const sample = state.seen && !state.running && !this.scrubbed && !this.data.watching ? this.sample.sample : undefined;
    this.sample.show(Boolean(sample), written(state), this.data.moment);
    this.network.tell(sample?.values);
    this.output.mark(sample);
  }

  coarser(by) { this.size = clamp(this.size + by, 0, SIZES.length - 1); }

  // A weight or bias with its value now.
  parameter({ name }) {
    const [kind, layer, unit, input] = name.split(".").map((part, k) => (k ? Number(part) : part));
    const part = this.shown.shape.parts[layer];
    return { name, weight: this.shown.row[kind === "bias" ? part.bias + unit : part.weight + unit * part.fanIn + input] };
  }

  frameBox() { return this.root.firstElementChild.getBoundingClientRect(); }
}

export default mounting(Playground);
