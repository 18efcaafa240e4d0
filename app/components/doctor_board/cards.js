// The examinations: each a question, a small picture, and what was read off it.

class Cards {
  constructor() {
    this.element = html("section", { class: "cards", "aria-label": "examinations" });
    this.plots = new Map();
  }

  build({ cards }) {
    this.element.replaceChildren(...cards.map((card) => html("article", { class: "card", "data-card": card.key },
      html("h4", {}, card.title), html("p", { class: "question" }, card.question), this.picture(card), html("p", { class: "reading" }, card.reading))));
  }

  picture(card) {
    if (card.kind === "curve") {
      const plot = new Lines(`${card.title}: ${card.reading}`);
      requestAnimationFrame(() => plot.draw(card.plot));
      return plot.svg;
    }
    if (card.kind === "pictures") return html("div", { class: "pictures" }, ...card.pictures.map((one) => this.digit(one)));
    if (card.kind === "matrix") return this.matrix(card);
    return html("div", { class: "bars" }, ...card.bars.map((bar) => this.bar(bar)));
  }

  // An image of 8 × 8 pixels: ink in the colour of the text.
  digit({ pixels, label }) {
    const canvas = html("canvas", { width: 8, height: 8, role: "img", "aria-label": `image labelled ${label}` });
    const paint = () => {
      const context = canvas.getContext("2d");
      const image = context.createImageData(8, 8);
      const ink = getComputedStyle(canvas).color.match(/\d+/g).slice(0, 3).map(Number);
      bytes(pixels).forEach((grey, k) => image.data.set([...ink, grey], 4 * k));
      context.putImageData(image, 0, 0);
    };
    requestAnimationFrame(paint);
    return html("figure", {}, canvas, html("figcaption", {}, String(label)));
  }

  matrix({ matrix, reading }) {
    const cells = matrix.flatMap((row, i) => row.map((share, j) => html("i", { class: Number.isFinite(Number(share)) ? "" : "unknown", style: `--share: ${(100 * Number(share)).toFixed(0)}%`, title: `output ${i + 1}, input ${j + 1}` })));
    return html("div", { class: "matrix-frame" }, html("span", { class: "side" }, "output of sample"), html("div", { class: "matrix", role: "img", "aria-label": reading, style: `--columns: ${matrix.length}` }, ...cells), html("span", { class: "under" }, "input of sample"));
  }

  bar({ name, text, share, mark, kind }) {
    return html("div", { class: "bar-row" }, html("span", { class: "name" }, name),
      html("i", { class: "track" }, html("i", { class: `fill ${kind ?? ""}`, style: `width: ${100 * clamp(share ?? 0, 0, 1)}%` }), ...(mark === null || mark === undefined ? [] : [html("i", { class: "mark", style: `left: ${100 * mark}%` })])), html("output", {}, text));
  }

  // What a step's own figures were.
  showStep(rows) {
    const place = this.element.querySelector('[data-card="step"] .bars');
    place?.replaceChildren(...rows.map((bar) => this.bar(bar)));
  }
}
