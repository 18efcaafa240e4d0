// One format: its name, its bits and how they are read, its code, the value with its error, and its neighbours.

// Text in which ^ raises what follows: 2^(11 − 15), 2^−14.
function raised(text) {
  return text.split(/\^(\([^)]*\)|[−-]?\d+)/).map((piece, k) => (k % 2 ? html("sup", {}, piece.replace(/^\((.*)\)$/, "$1").replace("-", "−")) : piece.replace("-", "−")));
}

class FormatRow {
  constructor(changed) {
    this.changed = changed;
    this.bits = new Bits((code) => changed(this.name, code));
    this.title = html("h3");
    this.code = html("input", { type: "text", class: "code", spellcheck: "false", autocomplete: "off", maxlength: 80,
      onkeydown: (event) => this.key(event), onblur: () => this.commit() });
    this.meaning = html("div", { class: "meaning" });
    this.result = html("div", { class: "result" });
    this.beside = html("div", { class: "beside" });
    this.element = html("section", { class: "row" }, html("div", { class: "who" }, this.title, this.code),
      html("div", { class: "what" }, this.bits.element, this.meaning), this.result, this.beside);
  }

  build(row) {
    Object.assign(this, { row, name: row.name });
    this.element.dataset.format = row.name;
    this.element.classList.toggle("held", row.held);
    this.title.replaceChildren(row.name, html("small", {}, row.split));
    this.bits.build(row);
    this.code.setAttribute("aria-label", `code of ${row.name}`);
    if (!this.code.matches(":focus")) this.code.value = row.code;
    const note = row.exact && row.exact !== row.value && row.exact !== row.meaning ? [" = ", ...raised(row.exact)] : [];
    this.meaning.replaceChildren(...raised(row.meaning), ...note);
    const kind = row.kind === "normal" || row.kind === "zero" ? "" : row.kind;
    this.result.replaceChildren(html("output", { class: "value" }, row.value.replace("-", "−")),
      html("span", { class: `error ${row.is_exact ? "none" : ""}` }, row.error), html("span", { class: `kind ${kind}`, hidden: !kind }, kind));
    this.beside.replaceChildren(this.step("below", row.below), html("span", { class: "spacing" }, ...(row.spacing ? ["spacing ", ...raised(row.spacing)] : [])), this.step("above", row.above));
  }

  // A neighbour, which a click goes to.
  step(side, neighbour) {
    const label = neighbour ? `${this.name}, next number ${side}: ${neighbour.value}` : `${this.name}, no number ${side}`;
    return html("button", { type: "button", class: `neighbour ${side}`, "aria-label": label, title: label, disabled: !neighbour,
      onclick: () => this.changed(this.name, neighbour.code) }, html("i", { "aria-hidden": "true" }, side === "below" ? "‹" : "›"), html("span", {}, ...(neighbour ? raised(neighbour.text) : ["none"])));
  }

  key(event) {
    if (event.key === "Escape") this.code.value = this.row.code;
    if (event.key === "Enter" || event.key === "Escape") this.code.blur();
    event.stopPropagation();
  }

  // Takes over a code that was typed; what is wrong with it, the page says.
  commit() {
    const text = this.code.value.trim();
    if (text && text !== this.row.code) this.changed(this.name, /^0[xb]/i.test(text) ? text : `0x${text}`);
    this.code.value = this.row.code;
  }
}
