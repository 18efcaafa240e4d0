// The steps of the chain as a table: what each did to the layout, and which is on show.

const COLUMNS = ["step", "shape", "strides", "offset", "memory", "contiguous", "cache lines", "line changes"];

class StepTable {
  constructor(choose) {
    this.choose = choose;
    this.body = html("tbody");
    const titles = { "cache lines": "different lines of 64 bytes that its float32 elements lie in", "line changes": "how often a row-major walk comes to another line" };
    this.element = html("div", { class: "steps" }, html("table", {},
      html("thead", {}, html("tr", {}, ...COLUMNS.map((name) => html("th", { scope: "col", title: titles[name] }, name)))), this.body));
  }

  // `refused` is the text of the step that could not be taken, if there is one.
  build(steps, refused) {
    this.body.replaceChildren(...steps.map((step, k) => this.row(step, k)));
    if (refused) {
      this.body.append(html("tr", { class: "refused" }, html("th", { scope: "row" }, html("code", {}, refused)),
        ...COLUMNS.slice(1).map((name) => html("td", {}, name === "memory" ? html("span", { class: "kind refused" }, "refused") : "–"))));
    }
  }

  row({ text, kind, problem, grid, contiguous, lines, changes }, k) {
    const button = html("button", { type: "button", onclick: () => this.choose(k) }, html("code", {}, text));
    const memory = problem ? "outside" : kind;
    const figures = [listed(grid.shape), listed(grid.strides), format(grid.offset)];
    return html("tr", { "data-step": k, onclick: () => this.choose(k) }, html("th", { scope: "row" }, button),
      ...figures.map((text) => html("td", {}, text)),
      html("td", {}, html("span", { class: `kind ${memory}` }, memory)),
      html("td", {}, contiguous ? "yes" : "no"), html("td", {}, lines.toLocaleString("en")), html("td", {}, changes.toLocaleString("en")));
  }

  paint(shown) {
    for (const row of this.body.children) {
      const current = Number(row.dataset.step) === shown;
      row.classList.toggle("current", current);
      row.querySelector("button")?.setAttribute("aria-pressed", String(current));
      if (current) this.reveal(row);
    }
  }

  reveal(row) {
    const { element } = this;
    const head = element.querySelector("thead").offsetHeight;
    if (row.offsetTop - head < element.scrollTop) element.scrollTop = row.offsetTop - head;
    else if (row.offsetTop + row.offsetHeight > element.scrollTop + element.clientHeight) element.scrollTop = row.offsetTop + row.offsetHeight - element.clientHeight;
  }
}
