// The shapes, aligned at the right: one column a dimension, compared from the right, one step at a time.

class Alignment {
  constructor(visit) {
    this.visit = visit;
    this.table = html("table", { class: "aligned" });
    this.said = html("p", { class: "said", "aria-live": "polite" });
    this.count = html("output");
    this.range = html("input", { type: "range", min: 0, step: 1, "aria-label": "dimensions compared", oninput: () => visit(Number(this.range.value)) });
    this.element = html("section", { class: "alignment", "aria-label": "alignment of the shapes" }, this.table,
      html("div", { class: "telling" }, html("div", { class: "transport" }, iconButton("previous", "one dimension back", () => visit(this.step - 1)), this.range,
        iconButton("next", "compare the next dimension", () => visit(this.step + 1)), this.count), this.said));
  }

  build({ rows, columns, result, fault }) {
    Object.assign(this, { rows, columns, result, fault });
    this.last = fault || columns.length;
    this.range.max = this.last;
  }

  paint(step) {
    this.step = step;
    const rank = this.columns.length;
    this.range.value = step;
    const done = (d) => rank - d <= step;
    const head = html("tr", {}, html("th"), ...this.columns.map((_, d) => html("th", { scope: "col" }, `−${rank - d}`)));
    const cells = (lengths, name) => html("tr", { class: name === "result" ? "result" : undefined }, html("th", { scope: "row" }, name), ...lengths.map((length, d) => {
      const wanted = this.result?.[d];
      const state = { current: rank - d === step, repeated: done(d) && name !== "result" && wanted !== undefined && (length ?? 1) !== wanted, fault: done(d) && this.fault === rank - d && (length ?? 1) !== 1, missing: length === null };
      return html("td", { class: Object.keys(state).filter((key) => state[key]).join(" ") }, name === "result" && !done(d) ? "·" : String(length ?? "1"));
    }));
    const result = this.result ?? this.columns.map((_, d) => (this.fault && done(d) && rank - d === this.fault ? "✗" : done(d) ? this.agreed(d) : "·"));
    this.table.replaceChildren(html("tbody", {}, head, ...this.rows.map(({ lengths, name }) => cells(lengths, name)), cells(result, "result")));
    this.said.textContent = step ? this.columns[step - 1] : "Shapes are aligned at the right, then compared one dimension at a time.";
    this.said.classList.toggle("wrong", this.fault === step && step > 0);
    this.count.textContent = `${step} of ${rank} dimensions`;
  }

  // The length that the shapes agree on in a dimension.
  agreed(d) {
    const lengths = this.rows.map(({ lengths: row }) => row[d] ?? 1);
    return lengths.find((length) => length !== 1) ?? 1;
  }
}
