// The bits of one code: each a switch, by field; press one and draw over others to set them alike.

const MANY = 20; // bits, which are then drawn narrower

class Bits {
  // `changed(code)` hears the code as "0x…" when the hand is off.
  constructor(changed) {
    this.changed = changed;
    this.element = html("div", { class: "bits", role: "group" });
    this.element.addEventListener("pointerdown", (event) => this.press(event));
    this.element.addEventListener("pointermove", (event) => this.draw(event));
    for (const name of ["pointerup", "pointercancel"]) this.element.addEventListener(name, () => this.release());
    this.element.addEventListener("click", (event) => { if (event.detail === 0) this.key(event); });
    this.element.addEventListener("keydown", (event) => this.walk(event));
  }

  build({ name, parts, flips }) {
    if (this.pen) return;
    const shape = JSON.stringify([name, parts.map(([field, bits]) => [field, bits.length])]);
    if (shape !== this.shape) this.lay(name, parts);
    this.shape = shape;
    const all = parts.map(([, bits]) => bits).join("");
    this.buttons.forEach((button, k) => {
      this.set(button, all[k] === "1");
      button.title = `flip it: ${flips[k].replace("-", "−")}`;
    });
  }

  // A button for each bit; numbered from the right, as codes are.
  lay(name, parts) {
    const count = parts.reduce((total, [, bits]) => total + bits.length, 0);
    let bit = count;
    this.element.classList.toggle("many", count > MANY);
    this.element.setAttribute("aria-label", `bits of ${name}`);
    this.element.replaceChildren(...parts.map(([field, bits]) => html("span", { class: `field ${field}` },
      html("span", { class: "switches" }, ...[...bits].map(() => html("button", { type: "button", class: "bit", "data-bit": --bit, "aria-label": `${name}, bit ${bit}, ${field}` }))),
      html("small", { "aria-hidden": "true" }, field))));
    this.buttons = [...this.element.querySelectorAll(".bit")];
  }

  set(button, on) {
    button.textContent = on ? "1" : "0";
    button.setAttribute("aria-pressed", String(on));
  }

  isOn(button) { return button.getAttribute("aria-pressed") === "true"; }

  press(event) {
    const button = event.target.closest(".bit");
    if (!button || event.button) return;
    this.element.setPointerCapture(event.pointerId);
    this.pen = { on: !this.isOn(button) };
    this.set(button, this.pen.on);
  }

  draw(event) {
    if (!this.pen) return;
    const over = this.element.getRootNode().elementFromPoint(event.clientX, event.clientY)?.closest(".bit");
    if (over && this.element.contains(over)) this.set(over, this.pen.on);
  }

  release() {
    if (!this.pen) return;
    this.pen = undefined;
    this.send();
  }

  // Enter or the space bar on a bit: a click without a pointer.
  key(event) {
    const button = event.target.closest(".bit");
    if (!button) return;
    this.set(button, !this.isOn(button));
    this.send();
  }

  // Left and right from bit to bit.
  walk(event) {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    const at = this.buttons.indexOf(event.target);
    if (!step || at < 0) return;
    event.preventDefault();
    event.stopPropagation();
    this.buttons[at + step]?.focus();
  }

  send() {
    const bits = this.buttons.map((button) => (this.isOn(button) ? "1" : "0")).join("");
    this.changed(`0x${BigInt(`0b${bits}`).toString(16)}`);
  }
}
