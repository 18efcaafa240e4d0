// The number as it was typed. It goes to the page with Enter; only what is too long to send is refused here.

class NumberEntry {
  // `typed(text)` hears a new text.
  constructor(typed) {
    this.typed = typed;
    this.input = html("input", { type: "text", class: "code typed", "aria-label": "Number", spellcheck: "false", autocomplete: "off", placeholder: "0.1, 1 + 2^-11, inf, fp16 0x2e66",
      onkeydown: (event) => this.key(event), onblur: () => this.commit() });
    this.exact = html("span", { class: "exact" });
    this.message = html("span", { class: "problem", role: "alert", hidden: true });
    this.element = html("div", { class: "entry" }, html("label", {}, "Number", this.input), this.exact, this.message);
  }

  build({ typed, number, exact, longest }) {
    if (typed !== this.text || !this.input.matches(":focus")) this.input.value = typed;
    Object.assign(this, { text: typed, longest });
    this.complain("");
    this.exact.replaceChildren(html("b", {}, number.replace("-", "−")), ...(exact && exact !== number ? [" = ", ...raised(exact)] : []));
  }

  key(event) {
    if (event.key === "Enter") this.commit();
    if (event.key === "Escape") this.input.value = this.text;
    if (event.key === "Enter" || event.key === "Escape") this.input.select();
    event.stopPropagation();
  }

  commit() {
    const text = this.input.value.trim();
    if (text === this.text) return this.complain("");
    if (text.length > this.longest) return this.complain(`This has ${text.length.toLocaleString("en")} characters; a number may have at most ${this.longest}. Leave digits out, or write an exponent, as in 1e300.`);
    this.complain("");
    return this.typed(text);
  }

  complain(message) {
    this.message.textContent = message;
    this.message.hidden = !message;
    this.input.setAttribute("aria-invalid", String(Boolean(message)));
  }
}
