// The picture: a, b and out as cells, each in the colour of the level that served it last.

const MATRICES = ["a", "b", "out"];
const WAIT = 400; // ms without a move until the page is told where the slider stands

class Picture {
  constructor(root) {
    this.root = root;
    this.stepper = new Stepper((step, settled) => this.visit(step, settled), "product", "products");
    this.said = html("p", { class: "said", "aria-live": "polite" });
    this.legend = html("div", { class: "levels" });
    this.canvases = Object.fromEntries(MATRICES.map((name) => [name, html("canvas", { role: "img" })]));
    const signs = { b: "·", out: "→" };
    const parts = MATRICES.flatMap((name) => [signs[name] && html("span", { class: "sign", "aria-hidden": "true" }, signs[name]),
      html("figure", {}, html("figcaption", {}, name), this.canvases[name])]).filter(Boolean);
    const veil = html("p", { class: "veil" }, "Commit to a prediction above, or skip it, to see the answer.");
    root.replaceChildren(html("section", { class: "picture" }, html("div", { class: "matrices" }, ...parts), this.stepper.transport, this.said, this.legend, veil));
    this.sizes = new ResizeObserver(() => this.data && this.paint());
    this.sizes.observe(root);
    this.stopListening = listenAnywhere(root, (event, target) => this.stepper.present(event, target));
  }

  update(data, send) {
    const other = JSON.stringify([data.side, data.order, data.tile, data.served]);
    this.send = send;
    this.data = data;
    this.root.toggleAttribute("data-veiled", data.veiled);
    if (other !== this.known) {
      this.known = other;
      this.products = productsOf(data.side, data.order, data.tile);
      this.step = data.step;
    } else if (!this.waiting) this.step = data.step;
    this.stepper.limit(this.products.length - 1);
    this.stand();
  }

  visit(step, settled) {
    this.step = clamp(step, 0, this.products.length - 1);
    this.stand();
    clearTimeout(this.waiting);
    this.waiting = setTimeout(() => { this.waiting = undefined; this.send("change", { step: this.step }); }, settled ? WAIT : 4 * WAIT);
  }

  level(product, access) { return Number(this.data.served[product * this.data.accesses.length + access]); }

  // The level that served each cell last, up to the step; and how many accesses each level has served.
  history() {
    const { side, accesses, levels } = this.data;
    const last = Object.fromEntries(MATRICES.map((name) => [name, new Int8Array(side * side).fill(-1)]));
    const counts = levels.map(() => 0);
    for (let product = 0; product <= this.step; product += 1) {
      accesses.forEach((name, access) => {
        const [row, column] = elementOf[name](this.products[product]);
        const level = this.level(product, access);
        counts[level] += 1;
        if (access < 3) last[name][row * side + column] = level; // the write finds what was just read
      });
    }
    return { last, counts };
  }

  stand() {
    const { data, step } = this;
    const [i, j, k] = this.products[step];
    this.stepper.stand(step, `product ${step + 1} of ${this.products.length}`);
    const { last, counts } = this.history();
    this.last = last;
    const short = data.levels.map((name) => name.split(",")[0]);
    const from = (access) => short[this.level(step, access)];
    this.said.textContent = `out[${i}, ${j}] += a[${i}, ${k}] · b[${k}, ${j}]: out from ${from(0)}, a from ${from(1)}, b from ${from(2)}`;
    const total = counts.reduce((sum, count) => sum + count, 0);
    this.legend.replaceChildren(...data.levels.map((name, level) => html("span", { class: `level-${this.shade(level)}` }, html("i"), `${name}: ${counts[level].toLocaleString("en")} (${format((100 * counts[level]) / total, 3)} %)`)),
      html("span", { class: "none" }, html("i"), "not asked for yet"));
    this.paint();
  }

  // Memory is always the last colour, whatever the number of levels.
  shade(level) { return level === this.data.levels.length - 1 ? "memory" : level; }

  paint() {
    const { side, line } = this.data;
    const style = getComputedStyle(this.root);
    const colour = (name) => style.getPropertyValue(`--${name}`).trim();
    const shades = this.data.levels.map((_, level) => colour({ 0: "positive", 1: "current", memory: "error" }[this.shade(level)]));
    for (const name of MATRICES) {
      const canvas = this.canvases[name];
      const size = canvas.clientWidth;
      const ratio = devicePixelRatio || 1;
      canvas.width = canvas.height = Math.round(size * ratio);
      const paper = canvas.getContext("2d");
      paper.scale(ratio, ratio);
      const cell = size / side;
      this.last[name].forEach((level, at) => {
        const [row, column] = [Math.floor(at / side), at % side];
        paper.fillStyle = level < 0 ? colour("zero") : shades[level];
        paper.fillRect(column * cell + 0.5, row * cell + 0.5, cell - 1, cell - 1);
      });
      const [row, column] = elementOf[name](this.products[this.step]);
      paper.lineWidth = 2.5;
      paper.strokeStyle = colour("text");
      paper.strokeRect(column * cell + 1, row * cell + 1, cell - 2, cell - 2);
      this.outlineLine(paper, row * side + column, side, cell, line, colour("text"));
      canvas.setAttribute("aria-label", `${name}, ${side} by ${side}; now at row ${row}, column ${column}`);
    }
  }

  // The cache line that the element is in; it may go over the end of a row.
  outlineLine(paper, at, side, cell, line, colour) {
    const first = Math.floor(at / line) * line;
    paper.lineWidth = 1.2;
    paper.strokeStyle = colour;
    for (let place = first; place < Math.min(first + line, side * side); place += 1) {
      const [row, column] = [Math.floor(place / side), place % side];
      paper.beginPath();
      paper.moveTo(column * cell, (row + 1) * cell - 1);
      paper.lineTo((column + 1) * cell, (row + 1) * cell - 1);
      paper.stroke();
    }
  }

  destroy() {
    this.stepper.pause();
    clearTimeout(this.waiting);
    this.sizes.disconnect();
    this.stopListening();
  }
}

export default mounting(Picture);
