// The loss of all lanes: over seconds, where they race, and over epochs, where they are to be one curve.

const NEAR = 22; // pixels within which the pointer finds a line

// 1, 2 and 5 times powers of ten within exponents, fewer of them where there are many.
function roundPlaces(low, high) {
  const digits = high - low > 3 ? [1] : high - low > 1.2 ? [1, 3] : [1, 2, 3, 5, 7];
  const powers = Array.from({ length: Math.ceil(high) - Math.floor(low) + 1 }, (_, index) => Math.floor(low) + index);
  return powers.flatMap((power) => digits.map((digit) => Math.log10(digit) + power)).filter((place) => place >= low && place <= high);
}

class LossPlot {
  // `across` says what of a lane is the place of each epoch; `move(place, final)` hears where the pointer drags.
  constructor(title, axis, across, move, look) {
    Object.assign(this, { axis, across, look });
    this.plot = new Plot(title, { grip: () => ([x], final) => move(this.plot.x.invert(x), final), hover: (point) => this.hover(point) });
    this.layer = svg("g", { class: "layer" });
    this.guide = svg("line", { class: "guide" });
    this.plot.inside.append(this.layer, this.guide);
    this.element = html("figure", { class: "loss" }, html("figcaption", {}, title), this.plot.svg);
  }

  draw({ lanes, loss_low: low, loss_high: high }, range, ticks, print) {
    Object.assign(this, { lanes });
    const { plot } = this;
    Object.assign(EDGE, { left: 52, right: 14, top: 10, bottom: 40 });
    plot.measure();
    plot.setScales(range, [low, high]);
    plot.paintAxes(ticks(plot.width), roundPlaces(low, high), { names: [this.axis] });
    for (const [name, write] of [["across", print], ["down", (place) => format(Number((10 ** place).toPrecision(2)))]]) {
      const places = name === "across" ? ticks(plot.width) : roundPlaces(low, high);
      [...plot.grid.querySelectorAll(`text.${name}`)].forEach((text, index) => { text.textContent = write(places[index]); });
    }
    const slowestLast = [...lanes].sort((one, other) => other.clock.length - one.clock.length);
    this.layer.replaceChildren(...slowestLast.map((lane) => this.line(lane)));
  }

  line(lane) {
    const { plot } = this;
    const xs = this.across(lane);
    const ys = lane.losses.map((loss) => (loss > 0 ? Math.log10(loss) : NaN));
    const last = ys.findLastIndex(Number.isFinite);
    const end = last >= 0 && svg("circle", { cx: plot.x.at(xs[last]).toFixed(2), cy: plot.y.at(clamp(ys[last], plot.y.low, plot.y.high)).toFixed(2), r: 4 });
    return svg("g", { class: "line", "data-name": lane.name, style: `--hue: var(--${lane.hue})` }, svg("path", { d: plot.path(xs, ys) }), ...(end ? [end] : []));
  }

  mark(place) { setLine(this.guide, this.plot.x.at(place), EDGE.top, this.plot.x.at(place), this.plot.bottom); }

  hover(point) {
    if (!point || !this.lanes) { this.look(undefined); return; }
    const distances = this.lanes.map((lane) => this.distance(lane, point));
    const nearest = Math.min(...distances);
    this.look(nearest < NEAR ? this.lanes[distances.indexOf(nearest)].name : undefined);
  }

  distance(lane, [x, y]) {
    const { plot } = this;
    const places = this.across(lane);
    return Math.min(Infinity, ...lane.losses.map((loss, index) => (loss > 0 ? Math.hypot(plot.x.at(places[index]) - x, plot.y.at(Math.log10(loss)) - y) : Infinity)));
  }

  highlight(name) {
    for (const line of this.layer.children) {
      line.toggleAttribute("data-looked", line.dataset.name === name);
      line.toggleAttribute("data-faded", name !== undefined && line.dataset.name !== name);
    }
  }
}
