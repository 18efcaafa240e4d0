// The pattern that is looked at: its bits, which can be pressed, and what becomes of them.

class LookedAt {
  constructor(look) {
    this.look = look;
    this.bits = html("div", { class: "bits", role: "group", "aria-label": "bits of the pattern" });
    this.lines = html("tbody");
    this.verdict = html("p", { class: "verdict" });
    this.element = html("section", { class: "panel looked", "aria-label": "pattern" }, html("h4", {}, "Pattern", html("small", {}, "press a bit to turn it over")), this.bits,
      html("table", {}, html("thead", {}, html("tr", {}, ...["unit", "sum", "gives"].map((name) => html("th", { scope: "col" }, name)))), this.lines), this.verdict);
  }

  paint({ bits, linears }, parts) {
    if (bits.length !== this.buttons?.length) {
      this.buttons = [...bits].map((_, k) => html("button", { type: "button", onclick: () => this.look(turned(this.now, k)) }));
      this.bits.replaceChildren(...this.buttons);
    }
    this.now = bits;
    this.buttons.forEach((button, k) => {
      button.textContent = bits[k];
      button.setAttribute("aria-pressed", String(bits[k] === "1"));
      button.setAttribute("aria-label", `bit ${k + 1}: ${bits[k]}`);
    });
    this.lines.replaceChildren(...Array.from({ length: linears[0].units }, (_, unit) => html("tr", {}, html("th", { scope: "row" }, `h${unit + 1}`),
      html("td", {}, format(parts.sums[unit], 3)), html("td", {}, format(parts.activations[unit], 3)))));
    const [output] = parts.output;
    const target = bits.length === 2 ? Number(bits[0] !== bits[1]) : Number(bits === mirrored(bits));
    const right = (output > 0.5) === (target === 1);
    this.verdict.replaceChildren("output ", html("b", {}, format(output, 3)), `, should be ${target}: `, html("b", { class: right ? "good" : "wrong" }, right ? "right" : "wrong"));
  }
}

const turned = (bits, k) => bits.slice(0, k) + (bits[k] === "1" ? "0" : "1") + bits.slice(k + 1);
