// What is taken for what, and the worst mistakes; a press looks at one of them.

class Verdicts {
  // `look(probe)` hears the number of a test image.
  constructor(look) {
    this.cells = Array.from({ length: 100 }, () => html("td"));
    const head = html("tr", {}, html("th", { "aria-label": "digit" }), ...Array.from({ length: 10 }, (_, k) => html("th", { scope: "col" }, k)));
    const rows = Array.from({ length: 10 }, (_, digit) => html("tr", {}, html("th", { scope: "row" }, digit), ...this.cells.slice(10 * digit, 10 * digit + 10)));
    this.mistakes = Array.from({ length: 12 }, () => {
      const canvas = picture();
      const text = html("small");
      const element = html("button", { type: "button", class: "mistake", onclick: () => look(element.dataset.number) }, canvas, text);
      return { canvas, text, element };
    });
    this.none = html("p", { class: "none" }, "none of the test images");
    this.element = html("section", { class: "panel verdicts", "aria-label": "answers" },
      html("div", {}, html("h4", {}, "What is taken for what", html("small", {}, "rows: the digit; columns: the answer")), html("table", { class: "confusion" }, html("thead", {}, head), html("tbody", {}, ...rows))),
      html("div", {}, html("h4", {}, "Worst mistakes", html("small", {}, "the surest first; press one to look at it")), html("div", { class: "mistakes" }, ...this.mistakes.map(({ element }) => element)), this.none));
  }

  paint(shape, parts, dark) {
    const { confusion, mistakes, mistaken } = parts;
    for (let digit = 0; digit < 10; digit += 1) {
      const row = confusion.subarray(10 * digit, 10 * digit + 10);
      const total = row.reduce((sum, count) => sum + count, 0) || 1;
      row.forEach((count, answer) => {
        const cell = this.cells[10 * digit + answer];
        cell.textContent = count || "";
        cell.style.background = count ? `color-mix(in srgb, var(${digit === answer ? "--success" : "--error"}) ${Math.round(15 + 70 * (count / total))}%, transparent)` : "";
        cell.title = `${count} of ${total} images of ${one(digit)} are taken for ${one(answer)}`;
      });
    }
    const area = shape.size ** 2;
    this.mistakes.forEach(({ canvas, text, element }, k) => {
      const [number, answer, chance] = mistakes.subarray(3 * k, 3 * k + 3);
      element.hidden = number < 0;
      if (number < 0) return;
      element.dataset.number = number;
      paintGrey(canvas, mistaken.subarray(k * area, (k + 1) * area), shape.size, dark);
      text.textContent = `${answer}, ${Math.round(100 * chance)} %`;
      element.title = `test image ${number}: taken for ${one(answer)} with ${percent(chance)}`;
    });
    this.none.hidden = mistakes[0] >= 0;
  }
}
