// A line of the answer: judged while it is being written, with the place of what is wrong underlined.

const PAUSE = 250; // ms without a key, after which a line is judged

class Line extends Written {
  constructor(changed, entered) {
    super(changed, entered, PAUSE);
    this.label = html("label", { onclick: () => this.input.focus() });
    this.input = html("input", { type: "text", class: "line", autocomplete: "off", autocapitalize: "off", spellcheck: "false",
      oninput: () => this.typed(), onkeydown: (event) => this.key(event), onblur: () => this.commit(), onscroll: () => this.scroll() });
    this.marker = html("span", { class: "marker", hidden: true });
    this.mark = html("span", { class: "mark" });
    this.message = html("p", { class: "message", role: "status" });
    this.element = html("div", { class: "field" }, this.label, html("div", { class: "frame" }, this.input, this.marker, this.mark), this.message);
  }

  get text() { return this.input.value.trim(); }

  typed() {
    super.typed();
    this.marker.hidden = true;
  }

  key(event) {
    if (event.key === "Enter") this.confirm();
    else if (event.key === "Escape") this.input.blur();
    else if (!event.key.startsWith("Arrow") && !["Home", "End", " "].includes(event.key)) return;
    event.stopPropagation();
  }

  // Shows what is known of the line; text that is being written stays.
  show(part, { most, names, again }) {
    this.part = part;
    this.label.textContent = part.name;
    this.input.setAttribute("aria-label", part.name);
    this.input.setAttribute("placeholder", `one expression with ${names.join(", ")}`);
    this.take(part.text, again);
    const long = this.text.length > most;
    const state = long ? "fault" : part.state;
    const known = this.text === part.text || long;
    this.element.dataset.state = state;
    this.input.setAttribute("aria-invalid", String(state === "fault"));
    this.mark.replaceChildren(...({ accepted: [icon("tick")], wrong: [icon("cross")] }[state] ?? []));
    if (!known) return;
    this.say(long ? `The line has ${this.text.length} characters; at most ${most} are read.` : spoken(part));
    this.underline(state === "fault" && !long ? part : undefined);
  }

  say(text) {
    if (this.message.textContent !== text) this.message.textContent = text;
    this.message.title = text;
  }

  // The font is one of equal widths: a place in the text is a number of characters.
  underline(part) {
    this.marker.hidden = !part || part.end <= part.start;
    if (this.marker.hidden) return;
    const before = this.input.value.length - this.input.value.trimStart().length;
    this.marker.style.setProperty("--start", part.start + before);
    this.marker.style.setProperty("--length", Math.max(1, Math.min(part.end, part.text.length + 1) - part.start));
    this.scroll();
  }

  scroll() { this.marker.style.setProperty("--scrolled", `${this.input.scrollLeft}px`); }
}

function spoken({ state, message, hint, trials, text }) {
  if (state === "accepted") return `Right, on ${trials} of ${trials} inputs. ${text.length} ${text.length === 1 ? "character" : "characters"}.`;
  if (state === "wrong") return "Not yet: it fails on an input, shown below as simple as it could be made.";
  if (state === "waiting") return `Right, but it calls ${message}: solve that first, then it is yours to use.`;
  return state === "fault" ? `${sentence(message)} ${sentence(hint)}`.trim() : "";
}
