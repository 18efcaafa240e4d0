// A number that is its own handle: drag it, type it, or nudge it with the arrow keys.

const PIXELS_TO_DRAG = 3;

class Handle {
  // `changed(value, final)` hears every new value; `final` is true once the hand is off.
  constructor(name, changed) {
    this.changed = changed;
    this.input = html("input", { type: "text", class: "handle", inputmode: "decimal", autocomplete: "off", spellcheck: "false",
      role: "spinbutton", "aria-label": `value of ${name}`, title: "drag, type, or use the arrow keys (shift: coarse, alt: fine)",
      onpointerdown: (event) => this.press(event), onpointermove: (event) => this.drag(event),
      onpointerup: (event) => this.release(event), onpointercancel: (event) => this.release(event),
      onkeydown: (event) => this.key(event), oninput: () => { this.typing = true; },
      onblur: () => this.commit() });
    this.message = html("span", { class: "handle-message", role: "alert", hidden: true });
    this.element = html("span", { class: "handle-frame" }, this.input, this.message);
  }

  get busy() { return this.grip !== undefined || this.typing; }

  // Shows a value that comes from outside, unless a hand is on the handle.
  set(value) {
    if (this.busy) return;
    this.value = value;
    this.print();
  }

  print() {
    this.input.value = format(this.value);
    this.input.setAttribute("aria-valuenow", this.value);
    this.input.setAttribute("aria-valuetext", format(this.value));
  }

  // One notch: a hundredth for numbers up to ten, coarser for larger ones; shift ×10, alt ÷10.
  notch(event) {
    const size = Math.max(Math.abs(this.value), 1);
    const scale = event.shiftKey ? 10 : event.altKey ? 0.1 : 1;
    return 10 ** (Math.floor(Math.log10(size) + 1e-9) - 2) * scale;
  }

  move(value, notch, final) {
    const rounded = Number((Math.round(value / notch) * notch).toPrecision(12));
    if (rounded === this.value) return;
    this.value = rounded;
    this.print();
    this.changed(this.value, final);
  }

  press(event) {
    if (event.button || this.input.matches(":focus")) return;
    event.preventDefault();
    this.hold(event, this.input);
  }

  hold(event, element) {
    element.setPointerCapture(event.pointerId);
    this.grip = { x: event.clientX, exact: this.value, notch: this.notch({}), dragged: false };
  }

  // Lets another element be a handle of the same number: dragged it moves the number, clicked it is itself.
  lend(element) {
    element.addEventListener("pointerdown", (event) => {
      if (event.button) return;
      event.stopPropagation();
      this.hold(event, element);
    });
    element.addEventListener("pointermove", (event) => this.drag(event));
    for (const name of ["pointerup", "pointercancel"]) {
      element.addEventListener(name, (event) => { if (this.letGo()) event.stopPropagation(); });
    }
  }

  // One notch a pixel; shift and alt change how far a pixel goes from here on, without a jump.
  drag(event) {
    const { grip } = this;
    if (!grip) return;
    const distance = event.clientX - grip.x;
    if (!grip.dragged && Math.abs(distance) < PIXELS_TO_DRAG) return;
    const scale = event.shiftKey ? 10 : event.altKey ? 0.1 : 1;
    grip.exact += distance * grip.notch * scale;
    grip.x = event.clientX;
    grip.dragged = true;
    this.input.classList.add("dragging");
    this.move(grip.exact, grip.notch * scale, false);
  }

  release() {
    if (!this.grip || this.letGo()) return;
    this.input.focus();
    this.input.select();
  }

  // The hand is off; says whether it had moved.
  letGo() {
    const dragged = this.grip?.dragged;
    this.grip = undefined;
    this.input.classList.remove("dragging");
    if (dragged) this.changed(this.value, true);
    return dragged;
  }

  key(event) {
    const direction = { ArrowUp: 1, ArrowRight: 1, ArrowDown: -1, ArrowLeft: -1 }[event.key];
    const caret = this.typing && (event.key === "ArrowLeft" || event.key === "ArrowRight");
    if (direction && !caret) {
      event.preventDefault();
      if (this.typing) this.commit();
      const notch = this.notch(event);
      this.move(this.value + direction * 10 * notch, notch, true);
    } else if (event.key === "Enter") {
      this.commit();
      this.input.select();
    } else if (event.key === "Escape") {
      this.typing = false;
      this.complain("");
      this.print();
      this.input.blur();
    } else return;
    event.stopPropagation();
  }

  // Takes over what was typed; anything but a finite number keeps the old value and says so.
  commit() {
    if (!this.typing) return;
    this.typing = false;
    const text = this.input.value.trim().replace(/−/g, "-");
    const value = text === "" ? NaN : Number(text);
    if (Number.isFinite(value)) {
      this.complain("");
      this.value = value;
      this.changed(value, true);
    } else {
      this.complain(`“${text}” is not a number; kept ${format(this.value)}`);
    }
    this.print();
  }

  complain(message) {
    this.message.textContent = message;
    this.message.hidden = !message;
    this.input.setAttribute("aria-invalid", String(Boolean(message)));
    clearTimeout(this.timer);
    if (message) this.timer = setTimeout(() => this.complain(""), 4000);
  }
}

// Sends changes to Python one at a time: while one is unanswered only the latest is kept.
class ChangeChannel {
  constructor(send) {
    this.send = send;
    this.waiting = new Map();
  }

  offer(change) {
    this.waiting.set(change.name, change);
    if (!this.timer) this.flush();
  }

  flush() {
    clearTimeout(this.timer);
    this.timer = undefined;
    const [next] = this.waiting.values();
    if (!next) return;
    this.waiting.delete(next.name);
    this.timer = setTimeout(() => this.flush(), 300);
    this.send(next);
  }

  // New data came: the next waiting change may go.
  answered() { this.flush(); }

  get busy() { return this.timer !== undefined; }
}
