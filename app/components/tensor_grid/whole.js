// A handle for a whole number between two bounds that may depend on the other numbers.

class WholeHandle extends Handle {
  constructor(name, changed) {
    super(name, changed);
    this.bounds = [-Infinity, Infinity];
    this.input.setAttribute("inputmode", "numeric");
  }

  // `why` says what the bounds are for, to a hand that wants to go beyond.
  limit(bounds, why) {
    Object.assign(this, { bounds, why });
    this.input.setAttribute("aria-valuemin", bounds[0]);
    this.input.setAttribute("aria-valuemax", bounds[1]);
  }

  // Ten pixels a unit; an arrow key is one unit, with shift ten.
  notch(event) { return event.shiftKey ? 1 : 0.1; }

  move(value, _notch, final) {
    const [low, high] = this.bounds;
    super.move(clamp(value, low, high), 1, final);
  }

  commit() {
    if (!this.typing) return;
    this.typing = false;
    const text = this.input.value.trim().replace(/−/g, "-");
    const value = text === "" ? NaN : Number(text);
    const [low, high] = this.bounds;
    if (!Number.isInteger(value)) this.complain(`“${text.slice(0, 20)}” is not a whole number; kept ${format(this.value)}`);
    else if (value < low || value > high) this.complain(`${format(value)} ${this.why}: ${format(low)} to ${format(high)}; kept ${format(this.value)}`);
    else {
      this.complain("");
      this.value = value;
      this.changed(value, true);
    }
    this.print();
  }
}
