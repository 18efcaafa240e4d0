// One cell: its number, and a colour that says its sign and size; NaN hatched, outside the storage unlike any number.

// A cell has room for three digits, before the point or after it.
const short = (value) => format(Math.abs(value) >= 0.001 && Math.abs(value) < 1 ? Math.round(value * 1000) / 1000 : value, 3);

function cell(element, position, numbers, attributes = {}) {
  const value = element === OUTSIDE ? undefined : numbers.of(element);
  const node = html("div", { class: "cell", tabindex: -1, ...attributes }, value === undefined ? "?" : short(value));
  if (value === undefined) node.classList.add("outside");
  else if (Number.isNaN(value)) node.classList.add("nan");
  else if (value) {
    node.classList.add(value > 0 ? "positive" : "negative");
    node.style.setProperty("--share", `${(100 * Math.min(1, Math.abs(value) / numbers.largest)).toFixed(0)}%`);
  }
  return node;
}

// The numbers of the drawn elements of x, and the largest of them, by which colours are measured.
class Numbers {
  constructor(values) {
    this.values = values;
    const sizes = Object.values(values).map(decode).map(Math.abs).filter(Number.isFinite);
    this.largest = sizes.reduce((most, size) => Math.max(most, size), 0) || 1;
    this.width = Math.max(2, ...Object.values(values).map((value) => short(decode(value)).length));
  }

  of(element) { return decode(this.values[element]); }
}

// Shape, type, smallest, mean, largest, a small histogram, and how many are not finite.
function figuresLine({ shape, dtype, least, mean, greatest, nan, infinite, bins }) {
  const line = html("p", { class: "figures" }, html("span", {}, `${dtype} ${listed(shape)}`));
  if (least !== null) {
    line.append(...[["min", least], ["mean", mean], ["max", greatest]].map(([name, value]) => html("span", {}, `${name} `, html("b", {}, format(decode(value), 3)))));
    line.append(histogram(bins));
  }
  for (const [count, name] of [[nan, "NaN"], [infinite, "∞"]]) if (count) line.append(html("span", { class: "faulty" }, `${count} ${name}`));
  return line;
}

function histogram(bins) {
  const most = Math.max(...bins);
  const bars = bins.map((count, k) => svg("rect", { x: 4 * k, width: 3, y: 14 - (13 * count) / most, height: (13 * count) / most }));
  return svg("svg", { class: "histogram", viewBox: `0 0 ${4 * bins.length} 14`, role: "img", "aria-label": `histogram from least to greatest: ${bins.join(", ")}` }, ...bars);
}
