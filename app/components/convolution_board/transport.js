// The slider through the elements of the output, and how the output's size follows from the settings.

const PACE = 450; // ms for each element when played

class Transport {
  // `visit(step, settled)` hears where the slider stands; `settled` is false while it is played.
  constructor(visit) {
    this.visit = visit;
    this.lengths = html("div", { class: "lengths" });
    this.note = html("p", { class: "note" });
    this.count = html("output");
    this.range = html("input", { type: "range", min: 0, step: 1, "aria-label": "element of the output", oninput: () => this.go(Number(this.range.value)) });
    this.button = iconButton("play", "play", () => (this.timer ? this.go(this.step) : this.play()));
    this.element = html("section", { class: "alignment", "aria-label": "element of the output" },
      html("div", { class: "transport" }, iconButton("previous", "one element back", () => this.go(this.step - 1)), this.range,
        iconButton("next", "the next element", () => this.go(this.step + 1)), this.button, this.count),
      html("div", { class: "telling" }, this.lengths, this.note));
  }

  build({ lengths, output, note }) {
    this.output = output;
    this.last = sizeOf(output.shape) - 1;
    this.range.max = this.last;
    this.lengths.replaceChildren(...lengths.map(({ name, formula }) => html("span", {}, html("b", {}, `${name} of y`), ` = ${formula}`)));
    this.note.textContent = note;
  }

  paint(step) {
    this.step = step;
    this.range.value = step;
    this.count.textContent = `y[${indexAt(this.output.shape, step).join(", ")}], ${step + 1} of ${this.last + 1}`;
  }

  go(step) {
    this.pause();
    this.visit(step, true);
  }

  play() {
    this.dressButton("pause");
    this.timer = setInterval(() => this.visit(this.step === this.last ? 0 : this.step + 1, false), PACE);
  }

  pause() {
    clearInterval(this.timer);
    this.timer = undefined;
    this.dressButton("play");
  }

  dressButton(name) {
    this.button.replaceChildren(icon(name));
    this.button.setAttribute("aria-label", name);
    this.button.title = name;
  }
}
