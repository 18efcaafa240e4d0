// The left plot: the operator, its slope, the tangent at x and the secant through x − h and x + h.

const CURVES = [["value", "f"], ["slope", "f′ from the table"], ["central", "central difference"]];
const NEAR = 14; // secant points closer to x than this, in pixels, cannot be gripped

class Curves {
  constructor(explorer) {
    this.explorer = explorer;
    this.hidden = new Set();
    this.plot = new Plot("curves of the operator and its slope", {
      grip: (point, reach) => this.grip(point, reach), hover: (point) => this.hover(point) });
    this.legend = legend([...CURVES.map(([key, name]) => ({ key, name })), { key: "tangent-line", name: "tangent" }, { key: "secant-line", name: "secant" }],
      this.hidden, () => explorer.paint());
    this.paths = new Map(CURVES.map(([key]) => [key, svg("path", { class: `curve ${key}` })]));
    this.guide = svg("line", { class: "guide" });
    this.tangent = svg("line", { class: "tangent-line" });
    this.secant = svg("line", { class: "secant-line" });
    this.run = svg("path", { class: "run" });
    this.point = svg("circle", { class: "at-x", r: 6.5 });
    this.ends = [-1, 1].map((side) => svg("circle", { class: "end", r: 5.5, "data-side": side }));
    this.dots = CURVES.map(([key]) => svg("circle", { class: `dot ${key}`, r: 4 }));
    this.grips = new Grip("x", "x", (event) => explorer.key("x", event));
    this.plot.inside.append(...[...this.paths.values()].reverse(), this.guide, this.tangent, this.secant, this.run, ...this.dots, ...this.ends, this.point);
    this.plot.over.append(this.grips.element);
    this.caption = html("p", { class: "caption" });
    this.element = html("section", { class: "half left", "aria-label": "the curves" }, this.legend, this.plot.svg, this.caption);
  }

  // A press near an end of the secant moves h; anywhere else it moves x.
  grip(point, reach) {
    const { explorer, plot } = this;
    const near = this.ends.some((end, side) => {
      const at = this.places?.[side];
      return at && !end.hasAttribute("hidden") && Math.hypot(point[0] - at[0], point[1] - at[1]) < reach;
    });
    if (near) return ([x], final) => explorer.moveStep(Math.log10(Math.abs(plot.x.invert(x) - explorer.x)), final, 0.01);
    return ([x], final) => explorer.moveX(clamp(plot.x.invert(x), plot.x.low, plot.x.high), final);
  }

  // The sample nearest to the pointer, with its own figures.
  hover(point) {
    const { curve } = this.explorer.data;
    const { plot } = this;
    const inside = point && point[0] >= EDGE.left && point[0] <= plot.right && point[1] < plot.bottom;
    const index = inside ? clamp(Math.round(((plot.x.invert(point[0]) - plot.x.low) / (plot.x.high - plot.x.low)) * (curve.x.length - 1)), 0, curve.x.length - 1) : undefined;
    CURVES.forEach(([key], position) => {
      const y = index === undefined || this.hidden.has(key) ? NaN : decode(curve[key][index]);
      move(this.dots[position], plot.x.at(curve.x[index ?? 0]), plot.y.at(y));
    });
    this.say(index);
  }

  say(index) {
    if (index === undefined) {
      this.caption.replaceChildren(html("span", {}, "Drag x anywhere in the plot; drag a ring to change h."));
      return;
    }
    const { curve } = this.explorer.data;
    this.caption.replaceChildren(html("span", {}, `at ${format(curve.x[index])}`),
      ...CURVES.map(([key, name]) => html("span", { class: `of ${key}` }, `${name.split(" ")[0]} ${format(decode(curve[key][index]), 6)}`)));
  }

  paint() {
    const { plot, explorer } = this;
    const { data } = explorer;
    plot.setScales(data.window.x, data.window.y);
    plot.paintAxes(ticks(...data.window.x, plot.width / 75), ticks(...data.window.y, plot.height / 55), { names: ["x"], zero: true });
    for (const [key, path] of this.paths) {
      path.toggleAttribute("hidden", this.hidden.has(key));
      path.setAttribute("d", plot.path(data.curve.x, data.curve[key].map(decode)));
    }
    this.paintLines();
    if (!plot.busy) this.hover(null);
  }

  // Tangent, secant and handles. Until Python has answered they follow the drawn curve; figures never do.
  paintLines() {
    const { plot, explorer, hidden } = this;
    const { x, h, exact, data } = explorer;
    const value = exact ? decode(data.value) : this.sample("value", x);
    const slope = exact ? decode(data.slope) : this.sample("slope", x);
    const ends = exact ? [data.below, data.above].map((end) => end.map(decode)) : [x - h, x + h].map((at) => [at, this.sample("value", at)]);
    const inside = plot.x.holds(x);
    const left = plot.x.at(x);
    setLine(this.guide, inside ? left : NaN, EDGE.top, left, plot.bottom);
    setLine(this.tangent, ...this.through(x, value, hidden.has("tangent-line") ? NaN : slope));
    const rise = (ends[1][1] - ends[0][1]) / (ends[1][0] - ends[0][0]);
    setLine(this.secant, ...this.through(ends[0][0], ends[0][1], hidden.has("secant-line") ? NaN : rise));
    this.places = ends.map(([at, y]) => [plot.x.at(at), plot.y.at(y)]);
    const apart = Math.abs(this.places[1][0] - this.places[0][0]) / 2 > NEAR && !hidden.has("secant-line");
    this.ends.forEach((end, side) => move(end, apart && plot.x.holds(ends[side][0]) ? this.places[side][0] : NaN, this.places[side][1]));
    const corner = apart && this.places.flat().every(Number.isFinite);
    this.run.toggleAttribute("hidden", !corner);
    if (corner) this.run.setAttribute("d", `M${this.places[0].join(" ")}H${this.places[1][0]}V${this.places[1][1]}`);
    move(this.point, inside ? left : NaN, plot.y.at(value));
    const beyond = x > plot.x.high ? " ▸" : "";
    this.grips.paint(plot, left, `${x < plot.x.low ? "◂ " : ""}x = ${format(x, 6)}${beyond}`, x, data.bounds.x);
  }

  // The ends, on the edges of the plot, of the line through (x, y) of this slope.
  through(x, y, slope) {
    const { plot } = this;
    const rise = (to) => y + slope * (to - x);
    return [EDGE.left, plot.y.at(rise(plot.x.low)), plot.right, plot.y.at(rise(plot.x.high))];
  }

  // The drawn curve's height between two samples, for placing handles only.
  sample(key, x) {
    const { x: xs, [key]: ys } = this.explorer.data.curve;
    const position = ((x - xs[0]) / (xs.at(-1) - xs[0])) * (xs.length - 1);
    const index = Math.floor(position);
    if (index < 0 || index >= xs.length) return NaN;
    const [before, after] = [decode(ys[index]), decode(ys[Math.min(index + 1, xs.length - 1)])];
    return position === index ? before : before + (position - index) * (after - before);
  }
}
