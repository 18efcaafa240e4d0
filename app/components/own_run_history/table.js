// Every tensor that was followed: its size, its gradient and by how much a step changes it; a click shows its histograms.

const SPARK = { width: 74, height: 20 };

class Table {
  constructor(choose) {
    this.choose = choose;
    this.element = html("div", { class: "tables", tabindex: 0, role: "region", "aria-label": "tensors over time" });
  }

  build(series) {
    this.rows = new Map();
    const kinds = [["parameter", "Parameters", ["norm", "|∂L/∂·|", "gradient over time", "update"]], ["result", "What modules give", ["norm", "zeros", "norm over time", "at ±1"]]];
    this.element.replaceChildren(...kinds.flatMap(([kind, title, heads]) => {
      const rows = series.filter((each) => each.kind === kind).map((each) => this.row(each));
      return rows.length ? [html("table", {}, html("thead", {}, html("tr", {}, ...[title, ...heads].map((name, k) => html("th", { scope: "col", class: k === 3 ? "wide" : undefined }, name)))), html("tbody", {}, ...rows))] : [];
    }));
  }

  row(series) {
    const last = (values) => values.findLast((value) => value !== null);
    const figure = (value, text = (number) => format(number, 3)) => html("td", {}, value === undefined ? "·" : text(decode(value)));
    const percent = (share) => `${format(100 * share, 2)} %`;
    const parameter = series.kind === "parameter";
    const cells = parameter ? [figure(last(series.gradient)), html("td", { class: "wide" }, spark(series.gradient, "gradient")), figure(middle(series.update), percent)]
      : [figure(last(series.zeros), percent), html("td", { class: "wide" }, spark(series.norm, "value")), figure(last(series.ends), percent)];
    const pick = html("button", { type: "button", onclick: () => this.choose(series.id) }, html("bdi", {}, series.name));
    const row = html("tr", { onclick: () => this.choose(series.id) }, html("th", { scope: "row", title: `${series.name} ${series.shape}` }, pick, html("small", {}, series.shape)), figure(last(series.norm)), ...cells);
    this.rows.set(series.id, row);
    return row;
  }

  mark(id) {
    for (const [name, row] of this.rows) row.toggleAttribute("data-chosen", name === id);
  }
}

// The middle one: a single large step at the beginning says little.
function middle(values) {
  const known = values.filter((value) => value !== null).map(decode).sort((a, b) => a - b);
  return known.length ? known[Math.floor(known.length / 2)] : undefined;
}

// A line without axes, from its least to its greatest, in powers: gradients go over many of them.
function spark(values, hue) {
  const places = values.map((value) => (value === null || !(decode(value) > 0) || !Number.isFinite(decode(value)) ? null : Math.log(decode(value))));
  const known = places.filter((place) => place !== null);
  if (known.length < 2) return "·";
  const [low, high] = [Math.min(...known), Math.max(...known)];
  const x = (k) => (k / (places.length - 1)) * SPARK.width;
  const y = (place) => SPARK.height - 2 - ((place - low) / Math.max(high - low, 0.05)) * (SPARK.height - 4);
  const path = places.map((place, k) => (place === null ? "" : `${k && places[k - 1] !== null ? "L" : "M"}${x(k).toFixed(1)} ${y(place).toFixed(1)}`)).join("");
  return svg("svg", { class: "spark", viewBox: `0 0 ${SPARK.width} ${SPARK.height}`, style: `--hue: var(--${hue})`, "aria-hidden": "true" }, svg("path", { d: path }));
}
