// Bars on a logarithmic axis. A presenter's keys reveal them one by one.

const STEPS = { ArrowRight: 1, ArrowDown: 1, PageDown: 1, ArrowLeft: -1, ArrowUp: -1, PageUp: -1 };

class Bars {
  constructor(root) {
    this.root = root;
    this.revealed = 1;
    this.legend = html("p", { class: "legend" });
    this.rows = html("div", { class: "rows" });
    this.axis = html("div", { class: "axis", "aria-hidden": "true" });
    const veil = html("p", { class: "veil" }, "Commit to a prediction above, or skip it, to see the answer.");
    root.replaceChildren(html("section", { class: "bars" }, this.legend, this.rows, this.axis, veil));
    this.stopListening = listenAnywhere(root, (event) => this.key(event));
  }

  update(data) {
    this.data = data;
    this.root.toggleAttribute("data-veiled", data.veiled);
    this.legend.replaceChildren(...data.legend.map(({ name, hue }) => html("span", { style: `--hue: var(--${hue})` }, html("i"), name)));
    this.paint();
  }

  share(at) {
    const { low, high } = this.data;
    return 100 * clamp((at - low) / (high - low), 0, 1);
  }

  paint() {
    const { rows, lines, low, high, unit, reveals } = this.data;
    this.rows.replaceChildren(...rows.map((row, index) => this.row(row, reveals && index >= this.revealed)));
    const decades = Array.from({ length: high - low + 1 }, (_, index) => low + index);
    const shown = decades.filter((_, index) => index % Math.ceil(decades.length / 8) === 0);
    const label = (at) => html("span", { style: `left: ${this.share(at)}%` }, format(10 ** at));
    const roofs = lines.map(({ name, at }) => html("span", { class: "roof-name", style: `left: ${this.share(at)}%` }, name));
    this.axis.replaceChildren(html("div", { class: "numbers" }, ...shown.map(label)), html("div", { class: "roofs" }, ...roofs), html("p", {}, unit));
  }

  row({ name, bars, text, note }, hidden) {
    const bar = ({ hue, at, low, high }) => html("div", { class: "bar", style: `--hue: var(--${hue}); width: ${this.share(at)}%` },
      high > low && html("i", { class: "spread", style: `left: ${(100 * this.share(low)) / this.share(at)}%; width: ${(100 * (this.share(high) - this.share(low))) / this.share(at)}%` }) || "");
    const lines = this.data.lines.map(({ at }) => html("i", { class: "roof", style: `left: ${this.share(at)}%` }));
    const said = note ? [text, html("small", {}, note)] : [text];
    return html("div", { class: "row", "data-hidden": hidden, "data-name": name, role: "group", "aria-label": hidden ? name : `${name}: ${text}` },
      html("span", { class: "name" }, name), html("div", { class: "track" }, ...lines, ...(hidden ? [] : bars.map(bar))), html("span", { class: "figure" }, ...(hidden ? [] : said)));
  }

  key(event) {
    const { reveals, rows } = this.data;
    const home = event.key === "Home" || event.key.toLowerCase() === "r";
    if (!reveals || (!home && !STEPS[event.key])) return false;
    this.revealed = home ? 1 : clamp(this.revealed + STEPS[event.key], 1, rows.length);
    this.paint();
    return true;
  }

  destroy() {
    this.stopListening();
  }
}

export default mounting(Bars);
