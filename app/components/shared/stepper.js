// A slider through the steps of something, with buttons beside it: one back, one on, play.

const PACE = 450; // ms for each step when played
const CLICKER = { PageDown: "ArrowRight", PageUp: "ArrowLeft", Home: "start", r: "start", R: "start" };

class Stepper {
  // `visit(step, settled)` hears where the slider stands; `settled` is false while it is played.
  // `unit` is what a step is called, `of` what the slider goes through.
  constructor(visit, unit, of) {
    this.visit = visit;
    this.count = html("output");
    this.range = html("input", { type: "range", min: 0, step: 1, "aria-label": of, oninput: () => this.go(Number(this.range.value)) });
    this.button = iconButton("play", "play", () => (this.timer ? this.go(this.step) : this.play()));
    this.transport = html("div", { class: "transport" }, iconButton("previous", `one ${unit} back`, () => this.go(this.step - 1)), this.range,
      iconButton("next", `the next ${unit}`, () => this.go(this.step + 1)), this.button, this.count);
  }

  limit(last) {
    this.last = last;
    this.range.max = last;
  }

  // `said` tells beside the slider where it stands.
  stand(step, said) {
    this.step = step;
    this.range.value = step;
    this.count.textContent = said;
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

  // A presenter's arrows and clicker: one step on, one back, or to the start.
  present(event, target) {
    if (target.closest?.(USES_KEYS) || target.closest?.(".cell")) return false;
    const to = { ArrowRight: this.step + 1, ArrowLeft: this.step - 1, start: 0 }[CLICKER[event.key] ?? event.key];
    if (to === undefined) return false;
    this.go(to);
    return true;
  }

  dressButton(name) {
    this.button.replaceChildren(icon(name));
    this.button.setAttribute("aria-label", name);
    this.button.title = name;
  }
}
