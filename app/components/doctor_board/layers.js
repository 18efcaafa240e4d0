// Layer by layer: how large activations and gradients are at one moment, and the update beside its weights.

const HEIGHT = 44; // of a histogram, in units of its own picture
const BAR = 6;

// Numbers from text: what each byte stands for is up to the reader.
const bytes = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));

class Layers {
  constructor() {
    this.element = html("section", { class: "layers", "aria-label": "layers" });
  }

  build(data) {
    Object.assign(this, { data, patient: this.read(data.patient), twin: data.twin && this.read(data.twin) });
    const head = (text, note) => html("header", {}, html("b", {}, text), html("small", {}, note));
    this.rows = data.layers.map((name) => {
      const cell = (kind) => ({ kind, picture: svg("svg", { class: `histogram ${kind}`, viewBox: `0 0 ${(data.bins + 2) * BAR} ${HEIGHT}`, preserveAspectRatio: "none", role: "img" }), words: html("p") });
      return { name, activations: cell("activations"), gradients: cell("gradients"), ratio: html("div", { class: "ratio" }) };
    });
    const scale = () => html("div", { class: "scale", "aria-hidden": "true" }, html("span", { style: "left: 0" }, "0"), ...this.powers().map(({ power, left }) => html("span", { style: `left: ${left}%` }, "10", html("sup", {}, format(power)))));
    this.element.replaceChildren(head("", ""), head("Activations", "size of each, 128 samples"), head("Gradients", "size of each weight's, last batch"), head("Update / weight", "about 10⁻³ is usual"),
      ...this.rows.flatMap(({ name, activations, gradients, ratio }) => [html("h4", {}, name), this.frame(activations), this.frame(gradients), ratio]),
      html("span"), scale(), scale(), html("span"));
  }

  frame({ picture, words, kind }) { return html("figure", { class: kind }, picture, words); }

  // Every third power of ten, from the left.
  powers() {
    const { bins, decades: [low, high] } = this.data;
    return [-6, -3, 0, 3].map((power) => ({ power, left: (100 * (1 + ((power - low) / (high - low)) * bins)) / (bins + 2) }));
  }

  // The histograms of every moment: moment, kind, layer, bin.
  read({ histograms }) { return bytes(histograms); }

  bins(run, moment, kind, layer) {
    const { layers, bins } = this.data;
    const length = bins + 2; // exactly 0, by size, and no number
    const at = ((moment * 2 + kind) * layers.length + layer) * length;
    return run.subarray(at, at + length);
  }

  show(moment) {
    const { data, patient, twin } = this;
    const figures = data.patient.figures[moment];
    this.rows.forEach((row, layer) => {
      ["activations", "gradients"].forEach((kind, number) => {
        const said = figures[kind]?.[layer];
        const cell = row[kind];
        cell.picture.replaceChildren(...(said ? this.bars(this.bins(patient, moment, number, layer), twin && this.bins(twin, moment, number, layer)) : []));
        cell.words.textContent = said ?? "not computed before the first step";
        cell.picture.setAttribute("aria-label", `${row.name}, ${kind}: ${cell.words.textContent}`);
      });
      this.showRatio(row.ratio, figures.ratios?.[layer]);
    });
  }

  bars(shares, ghost) {
    const bar = (share, k, kind) => (share ? [svg("rect", { class: k === 0 ? `${kind} zero` : k === shares.length - 1 ? `${kind} unknown` : kind, x: k * BAR + 0.5, width: BAR - 1, y: HEIGHT * (1 - share / 255), height: HEIGHT * (share / 255) })] : []);
    const line = ghost ? [svg("path", { class: "ghost", d: [...ghost].map((share, k) => `${k ? "L" : "M"}${k * BAR} ${HEIGHT * (1 - share / 255)}h${BAR}`).join("") })] : [];
    return [...[...shares].flatMap((share, k) => bar(share, k, "bar")), ...line];
  }

  showRatio(element, ratio) {
    const number = ratio === null || ratio === undefined ? NaN : Number(ratio);
    const known = Number.isFinite(number);
    const share = (value) => 100 * clamp((Math.log10(value) + 6) / 8, 0, 1); // from 10⁻⁶ to 10²
    element.replaceChildren(html("i", { class: "track" }, html("i", { class: "usual", style: `left: ${share(1e-3)}%` }), ...(known && number > 0 ? [html("i", { class: "dot", style: `left: ${share(number)}%` })] : [])),
      html("output", {}, ratio === undefined || ratio === null ? "–" : format(number, 2)));
  }
}
