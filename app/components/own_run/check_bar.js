// What the step does; going back, for each operand what is sent there, by backprop and by differences.

class CheckBar extends StepBar {
  show(model, index) {
    const step = model.steps[index];
    if (step.kind !== "cotangent") {
      const known = step.kind === "seed" || model.value(step.node, index) !== undefined;
      if (known && !step.said) return super.show(model, index);
      this.note.textContent = "";
      this.rows.className = "rows";
      const row = step.said ? [html("p", { class: "row said" }, verdictMark("failed"), step.said)] : [html("p", { class: "row" }, nodeName(model, step.node), html("span", { class: "pending" }, "its numbers were not recorded"))];
      return this.rows.replaceChildren(...row);
    }
    this.note.textContent = step.note ?? "";
    const rows = (step.contributions ?? []).map((each) => html("p", { class: "row" }, overL(model, each.to), "+=",
      html("span", { class: "of-shape" }, each.product.shape), ...(each.check === undefined ? [] : verdictFigures(each.check))));
    this.rows.className = `rows ${rows.length === 1 ? "single" : rows.length > 2 ? "many" : ""}`;
    this.rows.replaceChildren(...(rows.length ? rows : [html("p", { class: "row" }, "Nothing goes further back: its operands need no gradient.")]));
  }
}
