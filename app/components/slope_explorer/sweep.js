// The right plot: how far the central difference is from the slope, for every h, measured and predicted.

const RUG = 16; // height of the strips above and below the errors, for what a logarithm has no place for
const ROOM = 0.7; // decades between the strips and the outermost label
const FLOOR_NAME = 80; // room for the label of a predicted best step
const PRECISIONS = ["float64", "float32"];

class SweepPlot {
  constructor(explorer) {
    this.explorer = explorer;
    this.hidden = new Set();
    this.plot = new Plot("error of the central difference against its step h", {
      grip: () => ([x], final) => explorer.moveStep(this.plot.x.invert(x), final, 1 / 8), hover: (point) => this.hover(point) });
    this.legend = legend([...PRECISIONS.map((name) => ({ key: name, name })), { key: "predicted", name: "predicted" }, { key: "floor", name: "predicted best h" }],
      this.hidden, () => explorer.paint());
    this.layers = new Map(PRECISIONS.map((name) => [name, svg("g", { class: `layer ${name}` })]));
    this.strips = svg("g", { class: "strips", "aria-hidden": "true" });
    this.marker = svg("line", { class: "guide h" });
    this.point = svg("circle", { class: "at-h", r: 6.5 });
    this.cursor = svg("line", { class: "cursor" });
    this.grips = new Grip("log₁₀ of the step h", "h", (event) => explorer.key("step_exponent", event));
    this.plot.grid.after(this.strips);
    this.plot.inside.append(this.cursor, ...[...this.layers.values()].reverse(), this.marker, this.point);
    this.plot.over.append(this.grips.element);
    this.caption = html("p", { class: "caption" });
    const veil = html("p", { class: "veil" }, "Commit to a prediction above, or skip it, to see the errors.");
    this.element = html("section", { class: "half right", "aria-label": "the error over h" }, this.legend, this.plot.svg, this.caption, veil);
  }

  paint() {
    const { plot } = this;
    const { data } = this.explorer;
    const [low, high] = [data.window.error[0] - ROOM, data.window.error[1] + ROOM];
    const unit = (high - low) / (plot.bottom - EDGE.top - 2 * RUG);
    plot.setScales([data.exponents.at(-1) - 0.4, data.exponents[0] + 0.4], [low - RUG * unit, high + RUG * unit]);
    plot.paintAxes(decades(data.exponents.at(-1), data.exponents[0], plot.width / 50), decades(Math.ceil(low), Math.floor(high), plot.height / 34),
      { print: powerOfTen, names: ["h"] });
    this.paintStrips();
    for (const sweep of data.sweeps) this.paintSweep(sweep);
    this.paintMarker();
    if (!plot.busy) this.hover(null);
  }

  paintStrips() {
    const { plot } = this;
    const strip = (y, text) => [svg("rect", { x: EDGE.left, y, width: plot.right - EDGE.left, height: RUG }),
      svg("text", { class: "down", x: EDGE.left - 7, y: y + RUG / 2 + 4 }, text)];
    this.strips.replaceChildren(...strip(EDGE.top, "NaN ∞"), ...strip(plot.bottom - RUG, "0"));
  }

  paintSweep({ precision, errors, predicted, floor }) {
    const { plot, hidden, explorer } = this;
    const { exponents } = explorer.data;
    const layer = this.layers.get(precision);
    const lower = precision === "float32" ? 0.5 : 0;
    layer.toggleAttribute("hidden", hidden.has(precision));
    const marks = errors.map((error, index) => {
      const number = decode(error);
      const x = plot.x.at(exponents[index]);
      if (number === 0 || !Number.isFinite(number)) {
        const top = (number === 0 ? plot.bottom - RUG : EDGE.top) + RUG * lower + 1;
        return svg("line", { class: "rug", x1: x, x2: x, y1: top, y2: top + RUG / 2 - 2 });
      }
      const y = clamp(plot.y.at(Math.log10(number)), EDGE.top + RUG, plot.bottom - RUG);
      return precision === "float64" ? svg("circle", { cx: x, cy: y, r: 2.3 }) : svg("rect", { x: x - 2, y: y - 2, width: 4, height: 4 });
    });
    const logarithms = predicted.map((error) => (decode(error) > 0 ? Math.log10(decode(error)) : NaN));
    const line = hidden.has("predicted") ? [] : [svg("path", { class: "predicted", d: plot.path(exponents, logarithms) })];
    layer.replaceChildren(...line, ...marks, ...(hidden.has("floor") ? [] : this.floorLine(precision, Math.log10(decode(floor)))));
  }

  floorLine(precision, exponent) {
    const { plot } = this;
    if (!plot.x.holds(exponent)) return [];
    const x = plot.x.at(exponent);
    const before = x > plot.right - FLOOR_NAME || (precision === "float64" && x > EDGE.left + FLOOR_NAME);
    return [svg("line", { class: "floor", x1: x, x2: x, y1: EDGE.top + RUG, y2: plot.bottom - RUG }),
      svg("text", { class: before ? "floor-name before" : "floor-name", x: x + (before ? -5 : 5), y: EDGE.top + RUG + (precision === "float64" ? 13 : 27) },
        `h = ${format(10 ** exponent, 2)}`)];
  }

  paintMarker() {
    const { plot, explorer } = this;
    const { data, exponent, exact } = explorer;
    const x = plot.x.at(exponent);
    setLine(this.marker, x, EDGE.top, x, plot.bottom);
    const error = exact ? decode(data.error) : NaN;
    const inStrip = error === 0 ? plot.bottom - RUG / 2 : EDGE.top + RUG / 2;
    const y = error > 0 && Number.isFinite(error) ? clamp(plot.y.at(Math.log10(error)), EDGE.top + RUG, plot.bottom - RUG) : inStrip;
    move(this.point, exact ? x : NaN, y);
    this.grips.paint(plot, x, `h = ${format(10 ** exponent)}`, exponent, data.bounds.step_exponent);
  }

  // The measured step nearest to the pointer, with its own figures.
  hover(point) {
    const { plot } = this;
    const { exponents } = this.explorer.data;
    const inside = point && point[0] >= EDGE.left && point[0] <= plot.right && point[1] < plot.bottom;
    if (!inside) {
      setLine(this.cursor, NaN);
      return this.summarise();
    }
    const wanted = plot.x.invert(point[0]);
    const index = exponents.reduce((best, exponent, at) => (Math.abs(exponent - wanted) < Math.abs(exponents[best] - wanted) ? at : best), 0);
    setLine(this.cursor, plot.x.at(exponents[index]), EDGE.top, plot.x.at(exponents[index]), plot.bottom);
    this.caption.replaceChildren(html("span", {}, `h = ${format(10 ** exponents[index], 3)}`), ...this.explorer.data.sweeps.map((sweep) =>
      html("span", { class: `of ${sweep.precision}` }, `${sweep.precision} ${format(decode(sweep.errors[index]), 3)}, predicted ${format(decode(sweep.predicted[index]), 3)}`)));
    return undefined;
  }

  summarise() {
    this.caption.replaceChildren(...this.explorer.data.sweeps.map(({ precision, best, best_error: error, floor, predicted }) => html("span", { class: `of ${precision}` },
      `${precision}: ${bestText(decode(best), decode(error))}, ${predictedText(decode(floor), decode(predicted[0]))}`)));
  }
}

function bestText(step, error) {
  if (!Number.isFinite(error)) return "no h works";
  return `${error === 0 ? "exact at" : "best"} h = ${format(step, 2)}`;
}

// The predicted best step, or which of its two ingredients is missing.
function predictedText(floor, predicted) {
  if (floor > 0) return `predicted ${format(floor, 2)}`;
  if (floor === 0) return "none predicted: f = 0";
  return `none predicted: f‴ ${Number.isNaN(predicted) ? "undefined" : "= 0"}`;
}
