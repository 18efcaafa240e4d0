// Each unit with its weights as bars: up is positive. A press on a bar sets the weight by hand.

class Units {
  // `touch(name, value, event, held)` hears of the weight under the pointer, or none; held where it was pressed.
  constructor(touch) {
    this.touch = touch;
    this.element = html("div", { class: "units" });
  }

  build(shape, claims) {
    const key = JSON.stringify([shape.layers, shape.bits.length, claims]);
    if (key === this.key) return;
    this.key = key;
    const [hidden, last] = shape.linears;
    const bits = shape.bits.length;
    const direct = last.inputs - hidden.units;
    const fromBits = Array.from({ length: bits }, (_, k) => `x${k + 1}`);
    const fromUnits = [...fromBits.slice(0, direct), ...Array.from({ length: hidden.units }, (_, k) => `h${k + 1}`)];
    this.cards = [
      ...Array.from({ length: hidden.units }, (_, unit) => this.card(`Hidden unit ${unit + 1}`, 0, unit, hidden, fromBits, claims)),
      this.card("Output", 1, 0, last, fromUnits, false),
    ];
    this.element.replaceChildren(...this.cards.map(({ element }) => element));
  }

  card(title, layer, unit, { weight, bias, inputs }, names, claims) {
    const places = names.map((name, k) => ({ label: name, name: `weight.${layer}.${unit}.${k}`, at: weight + unit * inputs + k }));
    places.push({ label: "bias", name: `bias.${layer}.${unit}`, at: bias + unit });
    const bars = places.map((place) => this.bar(place));
    const told = html("p", { class: "told", hidden: !claims });
    const element = html("section", { class: "unit", "aria-label": title }, html("h4", {}, title), html("div", { class: "weights" }, ...bars.map(({ element: bar }) => bar)), told);
    return { element, bars, told, layer };
  }

  bar({ label, name, at }) {
    const fill = html("i");
    const value = html("b");
    const bar = { at, fill, value };
    bar.element = html("button", { type: "button", class: name.startsWith("bias") ? "weight bias" : "weight", "data-name": name,
      onpointermove: (event) => this.touch(name, bar.now, event, false), onpointerleave: () => this.touch(undefined),
      onclick: (event) => this.touch(name, bar.now, event, true) }, html("span", { class: "pole" }, fill), value, html("small", {}, label));
    return bar;
  }

  paint(shape, parts, scale, { claims, veiled }) {
    this.build(shape, claims);
    this.cards.forEach((card, unit) => {
      const reach = Math.max(...card.bars.map(({ at }) => Math.abs(parts.parameters[at])), 1);
      for (const bar of card.bars) {
        const now = parts.parameters[bar.at];
        const size = 50 * Math.min(Math.abs(now) / reach, 1);
        bar.now = now;
        Object.assign(bar.fill.style, { height: `${size}%`, top: now >= 0 ? `${50 - size}%` : "50%", background: scale.css(now) });
        bar.value.textContent = short(now);
        bar.element.setAttribute("aria-label", `${bar.element.dataset.name}: ${format(now, 3)}; press to set it`);
      }
      if (claims && card.layer === 0) card.told.replaceChildren(...this.claim(parts, unit, claims, veiled));
    });
  }

  // Opposite about the middle? In which ratio?
  claim(parts, unit, { forms, near }, veiled) {
    if (veiled) return ["mirrored weights, smallest to largest: ", html("b", {}, "predict first")];
    const apart = parts.asymmetry[unit];
    const [middle, largest] = parts.ratios.subarray(2 * unit, 2 * unit + 2);
    const form = Object.entries(forms).find(([, known]) => Math.abs(middle / known[0] - 1) <= near && Math.abs(largest / known[1] - 1) <= near);
    const opposite = apart <= near;
    const ratio = Number.isFinite(middle) ? `1 : ${format(middle, 3)} : ${format(largest, 3)}` : "not defined: the smallest is 0";
    return [
      html("span", { class: opposite ? "good" : "off" }, "mirrored ones add up to ", html("b", {}, Number.isNaN(apart) ? "–" : `${(100 * apart).toFixed(apart < 0.1 ? 2 : 0)} %`), " of the largest"), html("br"),
      html("span", { class: form ? "good" : "off" }, "ratio ", html("b", {}, ratio), form ? ` ≈ ${form[0]}` : ""),
    ];
  }
}

// As many digits as there is room for under a bar.
const short = (value) => (Number.isFinite(value) ? value.toFixed(Math.abs(value) < 1 ? 2 : Math.abs(value) < 10 ? 1 : 0).replace(/^(-?)0\./, "$1.").replace("-", "−") : format(value));
