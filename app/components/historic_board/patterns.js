// All patterns with what the net gives for each: rows are left halves, columns right halves read from the
// right end, so that symmetric patterns lie on the diagonal. Pressing one looks at it.

class PatternGrid {
  constructor(look) {
    this.look = look;
    this.table = html("table");
    this.title = html("h4");
    this.element = html("section", { class: "panel patterns", "aria-label": "all patterns" }, this.title, html("div", { class: "scroll" }, this.table));
  }

  build(length) {
    if (length === this.length) return;
    this.length = length;
    const half = length / 2;
    const count = 2 ** half;
    this.cells = [];
    const columns = Array.from({ length: count }, (_, right) => html("th", { scope: "col" }, mirrored(bitsOf(right, half))));
    const rows = Array.from({ length: count }, (_, left) => html("tr", {}, html("th", { scope: "row" }, bitsOf(left, half)), ...Array.from({ length: count }, (__, right) => {
      const bits = bitsOf(left, half) + mirrored(bitsOf(right, half));
      const button = html("button", { type: "button", "data-bits": bits, onclick: () => this.look(bits) });
      this.cells.push({ bits, button, target: Number(left === right) });
      return html("td", {}, button);
    })));
    if (length === 2) this.cells.forEach((cell) => { cell.target = 1 - cell.target; });
    this.table.replaceChildren(html("thead", {}, html("tr", {}, html("td"), ...columns)), html("tbody", {}, ...rows));
  }

  paint(shape, parts) {
    this.build(shape.bits.length);
    let wrong = 0;
    for (const { bits, button, target } of this.cells) {
      const output = parts.outputs[numberOf(bits)];
      const isWrong = (output > 0.5) !== (target === 1);
      wrong += isWrong;
      button.style.setProperty("--share", `${Math.round(100 * output)}%`);
      button.textContent = output.toFixed(2).replace(/^0/, "");
      button.className = `${target ? "target" : ""} ${isWrong ? "wrong" : ""} ${bits === shape.bits ? "chosen" : ""} ${output > 0.55 ? "high" : ""}`;
      button.title = `${bits}: the output is ${format(output, 3)} and should be ${target}`;
    }
    this.title.replaceChildren(`All ${this.cells.length} patterns`, html("small", {}, `${this.cells.length - wrong} right. ${shape.bits.length === 2 ? "Rows: first bit; columns: second" : "Rows: left half; columns: right half"}. Framed: should give 1`));
  }
}
