// Stacked bars on one linear axis; an upright line with its quartiles is what was measured.

class Ledger {
  constructor(root) {
    this.root = root;
    this.legend = html("p", { class: "legend" });
    this.rows = html("div", { class: "rows" });
    const veil = html("p", { class: "veil" }, "Commit to a prediction above, or skip it, to see the answer.");
    root.replaceChildren(html("section", { class: "ledger", "aria-label": "where the time goes" }, this.legend, this.rows, veil));
  }

  update(data) {
    this.root.toggleAttribute("data-veiled", data.veiled);
    const used = new Set(data.rows.flatMap(({ parts }) => parts.map(({ name }) => name)));
    const entries = data.legend.filter(({ name }) => used.has(name));
    this.legend.replaceChildren(...entries.map(({ name, hue }) => html("span", { style: `--hue: var(--${hue})` }, html("i"), name)), html("span", {}, html("i", { class: "measured" }), "measured, with quartiles"));
    this.rows.replaceChildren(...data.rows.map((row) => this.row(row, data)));
  }

  row({ name, parts, measured, low, high, text, note, threads }, { most, looked }) {
    const share = (seconds) => `${(97 * seconds) / most}%`;
    const drawn = parts.map((part) => html("i", { class: "part", style: `--hue: var(--${part.hue}); width: ${share(part.seconds)}`, title: `${part.name}: ${part.text}` }));
    const marks = [html("i", { class: "spread", style: `left: ${share(low)}; width: ${share(high - low)}` }), html("i", { class: "tick", style: `left: ${share(measured)}` })];
    const said = `${name}: ${text}. ${parts.map((part) => `${part.name} ${part.text}`).join(", ")}`;
    return html("div", { class: "row", "data-looked": threads === looked, role: "img", "aria-label": said },
      html("span", { class: "name" }, name), html("div", { class: "track" }, ...drawn, ...marks), html("span", { class: "figure" }, text, note ? html("small", {}, note) : ""));
  }
}

export default mounting(Ledger);
