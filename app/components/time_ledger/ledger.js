// Stacked bars on one linear axis; an upright line with its quartiles is what was measured.

const ledgers = new WeakMap();

class Ledger {
  constructor(root) {
    this.root = root;
    this.legend = html("p", { class: "legend" });
    this.rows = html("div", { class: "rows" });
    const veil = html("p", { class: "veil" }, "Commit to a prediction above, or skip it, to see the answer.");
    root.replaceChildren(html("section", { class: "ledger", "aria-label": "where the time goes" }, this.legend, this.rows, veil));
  }

  update(data) {
    dress(this.root, data);
    this.root.toggleAttribute("data-veiled", data.veiled);
    const used = new Set(data.rows.flatMap(({ parts }) => parts.map(({ name }) => name)));
    const entries = data.legend.filter(({ name }) => used.has(name));
    this.legend.replaceChildren(...entries.map(({ name, hue }) => html("span", { style: `--hue: var(--${hue})` }, html("i"), name)), html("span", {}, html("i", { class: "measured" }), "measured, with quartiles"));
    this.rows.replaceChildren(...data.rows.map((row) => this.row(row, data)));
    this.root.dataset.ready = "true";
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

// Streamlit calls this again on every change of data or theme, with the same parentElement.
export default function ({ data, parentElement }) {
  const root = parentElement.querySelector(".unroll");
  if (!root || !data) return undefined;
  if (!ledgers.has(root)) ledgers.set(root, new Ledger(root));
  ledgers.get(root).update(data);
  return () => setTimeout(() => { if (!root.isConnected) ledgers.delete(root); });
}
