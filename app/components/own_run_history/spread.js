// The histograms of one tensor over time: a column a moment, darker where more elements are.

class Spread {
  constructor() {
    this.paper = new Paper("histograms over steps", (share) => { this.at = share; this.paint(); });
    this.name = html("b");
    this.said = html("span", { class: "said" });
    this.element = html("figure", { class: "spread" }, html("figcaption", {}, this.name, this.said), this.paper.canvas);
  }

  show(series, moments) {
    Object.assign(this, { series, moments });
    this.name.textContent = series.name;
    this.paint();
  }

  paint() {
    const { paper, series, moments } = this;
    const pen = series ? paper.begin() : undefined;
    if (!pen) return;
    const lows = series.low.map(decode).filter(Number.isFinite);
    const highs = series.high.map(decode).filter(Number.isFinite);
    const [low, high] = lows.length ? [Math.min(...lows), Math.max(...highs)] : [0, 1];
    const pad = (high - low || Math.abs(high) || 1) * 0.04;
    const place = (value) => (value - low + pad) / (high - low + 2 * pad);
    const zero = low < 0 && high > 0 ? [[place(0), "0"]] : [];
    const edges = [[place(low), format(low, 2)], [place(high), format(high, 2)]].filter(([at]) => !zero.length || Math.abs(at - zero[0][0]) > 0.1);
    paper.axes(pen, [...edges, ...zero], [moments[0], moments.at(-1)]);
    const width = (paper.x(1) - paper.x(0)) / moments.length;
    const hue = paper.colour(series.kind === "parameter" ? "parameter" : "value");
    moments.forEach((_, k) => this.column(pen, k, paper.x(k / moments.length), width, place, hue));
    const chosen = Math.min(Math.floor((this.at ?? 1) * moments.length), moments.length - 1);
    pen.globalAlpha = 1;
    pen.strokeStyle = paper.colour("current");
    pen.lineWidth = 1.5;
    pen.strokeRect(paper.x(chosen / moments.length), paper.y(1), Math.max(width, 2), paper.y(0) - paper.y(1));
    this.said.textContent = this.sentence(chosen);
  }

  column(pen, k, x, width, place, hue) {
    const { paper, series } = this;
    const shares = series.shares[k];
    if (series.bad[k]) {
      pen.globalAlpha = 0.7;
      pen.fillStyle = paper.colour("error");
      pen.fillRect(x, paper.y(1), Math.max(width - 1, 1), 5);
    }
    if (!shares) return;
    const [low, high] = [decode(series.low[k]), decode(series.high[k])];
    const count = shares.length / 2;
    pen.fillStyle = hue;
    for (let bin = 0; bin < count; bin += 1) {
      const share = parseInt(shares.slice(2 * bin, 2 * bin + 2), 16) / 255;
      if (!share) continue;
      const [from, to] = high > low ? [low + ((high - low) * bin) / count, low + ((high - low) * (bin + 1)) / count] : [low, high];
      const [top, bottom] = [paper.y(place(to)), paper.y(place(from))];
      pen.globalAlpha = 0.1 + 0.85 * share;
      pen.fillRect(x, Math.min(top, bottom - 1.5), Math.max(width - (width > 4 ? 1 : 0), 1), Math.max(bottom - top, 1.5));
    }
  }

  sentence(k) {
    const { series, moments } = this;
    const known = (values, text) => (values[k] === null ? [] : [text(decode(values[k]))]);
    return [`step ${moments[k]}`, ...known(series.low, (low) => `${format(low, 3)} … ${format(decode(series.high[k]), 3)}`),
      ...known(series.norm, (norm) => `norm ${format(norm, 3)}`), ...known(series.gradient, (size) => `gradient ${format(size, 3)}`),
      ...known(series.update, (share) => `update ${format(100 * share, 2)} %`), ...(series.bad[k] ? ["NaN or ∞ in it"] : [])].join(" · ");
  }
}
