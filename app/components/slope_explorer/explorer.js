// The explorer: holds x and h, moves them with the hand, and asks Python for the figures that go with them.

const FIELDS = ["x", "other", "step_exponent"];
const KEYS = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1, PageUp: 10, PageDown: -10 };
const PRESENTER_KEYS = { ArrowRight: ["x", 1], ArrowLeft: ["x", -1], PageDown: ["x", 1], PageUp: ["x", -1],
  ArrowUp: ["step_exponent", 1], ArrowDown: ["step_exponent", -1] };

class Explorer {
  constructor(root) {
    this.root = root;
    this.hand = undefined; // x, other and step_exponent where the hand has them; Python may be a moment behind
    this.channel = new ChangeChannel(({ name, value, final }) => this.send("change", { field: name, value, final }));
    this.figures = new Figures(this);
    this.curves = new Curves(this);
    this.sweep = new SweepPlot(this);
    this.live = html("p", { class: "hidden", "aria-live": "polite" });
    root.replaceChildren(html("div", { class: "explorer" }, this.figures.bar, this.figures.element, this.curves.element, this.sweep.element, this.live));
    this.sizes = new ResizeObserver(() => this.resized());
    for (const { plot } of [this.curves, this.sweep]) this.sizes.observe(plot.svg);
    this.stopListening = listenAnywhere(root, (event, target) => this.present(event, target));
  }

  get x() { return this.hand.x; }
  get exponent() { return this.hand.step_exponent; }
  get h() { return 10 ** this.exponent; }
  // Whether Python's figures are those of the hand's place.
  get exact() { return FIELDS.every((field) => this.hand[field] === this.data[field]); }
  get busy() {
    return this.channel.busy || this.curves.plot.busy || this.sweep.plot.busy || Object.values(this.figures.handles).some((handle) => handle.busy);
  }

  // New data from Python: figures for x and h, unless the hand has moved on in the meantime.
  update(data, send) {
    Object.assign(this, { data, send });
    this.root.toggleAttribute("data-veiled", data.veiled);
    this.channel.answered();
    if (!this.hand || !this.busy) this.hand = Object.fromEntries(FIELDS.map((field) => [field, data[field]]));
    this.figures.build(data);
    this.resized();
    if (this.exact) this.live.textContent = sentence(data);
  }

  resized() {
    if (!this.data) return;
    for (const { plot } of [this.curves, this.sweep]) plot.measure();
    this.paint();
  }

  paint() {
    this.curves.paint();
    this.sweep.paint();
    this.paintFigures();
  }

  paintFigures() {
    this.figures.paint(this);
    this.root.dataset.exact = this.exact;
  }

  // One notch of x: a round number of about a pixel.
  get notch() {
    const [low, high] = this.data.window.x;
    return 10 ** Math.floor(Math.log10((high - low) / 400));
  }

  moveX(wanted, final, notch = this.notch) {
    this.change("x", Number((Math.round(wanted / notch) * notch).toPrecision(12)), final);
  }

  moveStep(wanted, final, notch) {
    const exponent = clamp(Math.round(clamp(wanted, -99, 99) / notch) * notch, ...this.data.bounds.step_exponent);
    this.change("step_exponent", Number(exponent.toPrecision(12)), final);
  }

  // The hand moved: show it at once, and ask. Out of bounds nothing moves, but Python is told, to say why.
  change(field, value, final) {
    const [low, high] = this.data.bounds[field];
    const allowed = value >= low && value <= high;
    if (!final && (!allowed || value === this.hand[field])) return;
    if (allowed) this.hand[field] = value;
    this.curves.paintLines();
    this.sweep.paintMarker();
    this.paintFigures();
    this.channel.offer({ name: field, value, final });
  }

  nudge(field, notches, scale) {
    const { bounds } = this.data;
    const within = (value) => clamp(value, ...bounds[field]);
    if (field === "x") this.moveX(within(this.x + notches * 5 * this.notch * scale), true, this.notch * Math.min(scale, 1));
    else this.moveStep(within(this.exponent + (notches * scale) / 8), true, Math.min(scale, 1) / 8);
  }

  key(field, event) {
    const notches = KEYS[event.key];
    if (notches) this.nudge(field, notches, event.shiftKey ? 8 : event.altKey ? 0.2 : 1);
    else if (event.key === "Home" || event.key === "End") this.toEnd(field, event.key === "End");
    return notches !== undefined || event.key === "Home" || event.key === "End";
  }

  toEnd(field, last) {
    const ends = field === "x" ? this.data.window.x : this.data.bounds.step_exponent;
    this.change(field, ends[last ? 1 : 0], true);
  }

  // What a presenter's arrows and clicker do; a handle that has the focus keeps its own keys.
  present(event, target) {
    const asked = PRESENTER_KEYS[event.key];
    if (!asked || target.closest?.(USES_KEYS)) return false;
    this.nudge(...asked, event.shiftKey ? 8 : 1);
    return true;
  }

  destroy() {
    this.sizes.disconnect();
    this.stopListening();
  }
}

// The figures for a screen reader.
function sentence(data) {
  const said = (name, key) => `${name} ${format(decode(data[key]), 6)}`;
  return `At x ${format(data.x)}: ${[said("value", "value"), said("slope", "slope"), said("central difference", "central"), said("error", "error")].join(", ")}.`;
}

export default mounting(Explorer);
