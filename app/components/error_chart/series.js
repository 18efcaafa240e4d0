// What is drawn in the chart: one element for each series, in the hue of its group.

const LABEL_HEIGHT = 17;

// A number on an axis: its power where the axis is one of powers, else itself.
const axisLabel = ({ base }) => (value) => (base ? [String(base), svg("tspan", { dy: "-.45em", class: "exponent" }, format(value))] : format(value));
const onAxis = ({ base, zero }, place) => (zero !== undefined && place <= zero ? 0 : base ? base ** place : place);

// Round places on an axis; whole powers where it is one of powers, whole numbers where it counts something.
function placesOn(axis, count) {
  if (!axis.base) return ticks(axis.low, axis.high, count).filter((place) => !axis.whole || Number.isInteger(place));
  const places = decades(Math.ceil(axis.low), Math.floor(axis.high), count);
  return axis.zero === undefined ? places : places.filter((place) => place > axis.zero + 0.5);
}

function band(plot, { x, low, high }) {
  const known = x.map((_, at) => at).filter((at) => low[at] !== null && high[at] !== null);
  if (!known.length) return undefined;
  const corner = (bound) => (at) => `${plot.x.at(x[at]).toFixed(2)} ${plot.y.at(clamp(bound[at], plot.y.low, plot.y.high)).toFixed(2)}`;
  return svg("path", { class: "band", d: `M${[...known.map(corner(high)), ...known.reverse().map(corner(low))].join("L")}Z` });
}

const numbers = (places) => places.map((place) => (place === null ? NaN : place));

function draw(plot, series) {
  const { kind, group, x, y } = series;
  const style = `--hue: var(--${group.hue})`;
  const points = () => x.flatMap((at, index) => (y[index] === null ? [] : [svg("circle", { cx: plot.x.at(at).toFixed(2), cy: plot.y.at(y[index]).toFixed(2), r: kind === "specks" ? 1.7 : 3 })]));
  const line = (name) => svg("path", { class: name, d: plot.path(x, numbers(y)) });
  const parts = kind === "line" ? [series.low && band(plot, series), line("stroke"), ...(x.length > 2 && x.length <= 24 ? points() : [])]
    : kind === "dots" || kind === "specks" ? points() : [line("stroke")];
  return svg("g", { class: `series ${kind}`, style, "data-group": group.key }, ...parts.filter(Boolean));
}

// Names at the right ends of the lines, pushed apart where they would overlap.
function endLabels(plot, shown) {
  const labels = shown.filter(({ kind, unnamed }) => (kind === "line" || kind === "dots") && !unnamed).flatMap(({ group, y }) => {
    const last = y.findLast((place) => place !== null);
    return last === undefined ? [] : [{ group, at: plot.y.at(clamp(last, plot.y.low, plot.y.high)) }];
  }).sort((a, b) => a.at - b.at);
  labels.forEach((label, index) => { label.at = Math.max(label.at, index ? labels[index - 1].at + LABEL_HEIGHT : EDGE.top + 6); });
  for (let index = labels.length - 1, floor = plot.bottom; index >= 0; index -= 1, floor -= LABEL_HEIGHT) labels[index].at = Math.min(labels[index].at, floor);
  return labels.map(({ group, at }) => svg("text", { class: "end-label", x: plot.right + 8, y: at + 4, style: `--hue: var(--${group.hue})` }, group.name));
}
