// The slider through the elements of the output, and how the output's size follows from the settings.

class Transport extends Stepper {
  constructor(visit) {
    super(visit, "element", "element of the output");
    this.lengths = html("div", { class: "lengths" });
    this.note = html("p", { class: "note" });
    this.element = html("section", { class: "alignment", "aria-label": "element of the output" }, this.transport,
      html("div", { class: "telling" }, this.lengths, this.note));
  }

  build({ lengths, output, note }) {
    this.output = output;
    this.limit(sizeOf(output.shape) - 1);
    this.lengths.replaceChildren(...lengths.map(({ name, formula }) => html("span", {}, html("b", {}, `${name} of y`), ` = ${formula}`)));
    this.note.textContent = note;
  }

  paint(step) {
    this.stand(step, `y[${indexAt(this.output.shape, step).join(", ")}], ${step + 1} of ${this.last + 1}`);
  }
}
