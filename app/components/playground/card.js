// A weight or bias: its value beside the pointer, and a field to set it by hand.

class Card {
  // `set(name, value)` hears a value that was typed.
  constructor(set) {
    this.set = set;
    this.name = html("small");
    this.value = html("b");
    this.input = html("input", { type: "text", inputmode: "decimal", size: 8, "aria-label": "value",
      onkeydown: (event) => { if (event.key === "Enter") this.commit(); if (event.key === "Escape") this.hide(); event.stopPropagation(); }, onblur: () => this.hide() });
    this.problem = html("small", { class: "problem", role: "alert" });
    this.element = html("div", { class: "card", hidden: true }, this.name, this.value, this.input, this.problem);
  }

  // Beside the pointer; to be typed into if it is held.
  show({ name, weight }, event, frame, held) {
    if (this.held && !held) return;
    Object.assign(this, { held, parameter: name });
    this.name.textContent = told(name);
    this.value.textContent = format(weight, 4);
    this.value.hidden = held;
    this.input.hidden = !held;
    this.problem.textContent = held ? "" : "click to set it";
    this.element.hidden = false;
    this.element.style.left = `${Math.min(event.clientX - frame.left + 14, frame.width - 150)}px`;
    this.element.style.top = `${event.clientY - frame.top + 14}px`;
    if (held) {
      this.input.value = String(Number(weight.toPrecision(5)));
      this.input.focus();
      this.input.select();
    }
  }

  hide(hovering = false) {
    if (hovering && this.held) return;
    this.held = false;
    this.element.hidden = true;
  }

  commit() {
    const value = Number(this.input.value.trim().replace("−", "-").replace(",", "."));
    if (!this.input.value.trim() || !Number.isFinite(value)) {
      this.problem.textContent = "write a number, as in −0.5";
      return;
    }
    this.set(this.parameter, value);
    this.hide();
  }
}

function told(name) {
  const [kind, layer, unit, input] = name.split(".").map((part, k) => (k ? Number(part) + 1 : part));
  return kind === "bias" ? `bias of unit ${unit} in layer ${layer}` : `weight of layer ${layer}: from ${input} to ${unit}`;
}
