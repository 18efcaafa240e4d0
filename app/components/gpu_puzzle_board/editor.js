// The kernel: lines that are given, and below them those being written, with the line of the step lit.

const PAUSE = 350; // ms without a key, after which the lines are judged
const INDENT = "    ";
const FEWEST_LINES = 3;

class Editor extends Written {
  constructor(changed, entered) {
    super(changed, entered, PAUSE);
    this.rows = html("div", { class: "rows-of-code", "aria-hidden": "true" });
    this.input = html("textarea", { class: "lines", "aria-label": "lines of the kernel", autocomplete: "off", autocapitalize: "off", spellcheck: "false", wrap: "off", placeholder: "your lines",
      oninput: () => this.typed(), onkeydown: (event) => this.key(event), onblur: () => this.commit() });
    this.sheet = html("div", { class: "sheet" }, this.rows, this.input);
    this.element = html("div", { class: "editor" }, this.sheet);
  }

  get text() { return this.input.value.trimEnd(); }

  typed() {
    super.typed();
    this.lay();
  }

  // Tab indents, and after Escape leaves; Enter keeps the indentation, and goes further in after a colon.
  key(event) {
    event.stopPropagation();
    if (event.key === "Escape") this.input.blur();
    else if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) this.confirm();
    else if (event.key === "Tab" && !event.shiftKey) {
      event.preventDefault();
      this.insert(INDENT);
    } else if (event.key === "Enter") {
      event.preventDefault();
      this.insert(`\n${this.indentation()}`);
    } else if (event.key === "Backspace" && this.atIndentation()) {
      event.preventDefault();
      this.input.setSelectionRange(this.input.selectionStart - INDENT.length, this.input.selectionStart);
      this.insert("");
    }
  }

  get before() {
    const { value, selectionStart } = this.input;
    return value.slice(value.lastIndexOf("\n", selectionStart - 1) + 1, selectionStart);
  }

  indentation() {
    const own = this.before.match(/^ */)[0];
    return /:\s*(#.*)?$/.test(this.before) ? own + INDENT : own;
  }

  atIndentation() {
    const { selectionStart, selectionEnd } = this.input;
    return selectionStart === selectionEnd && /^( {4})+$/.test(this.before);
  }

  // As if it were typed, so that it can be undone.
  insert(text) {
    if (!document.execCommand(text ? "insertText" : "delete", false, text)) {
      this.input.setRangeText(text, this.input.selectionStart, this.input.selectionEnd, "end");
      this.typed();
    }
  }

  // Shows the lines of the page; those that are being written stay.
  show({ given, answer, most, verdict, fault }, again) {
    Object.assign(this, { given, verdict, fault });
    this.take(answer, again);
    this.long = this.text.length > most;
    this.known = this.text === answer.trimEnd();
    this.element.dataset.state = verdict.state;
    this.input.setAttribute("aria-invalid", String(["unreadable", "wrong"].includes(verdict.state)));
    this.lay();
  }

  // A row for every line, given or written; the text of those written is that of the field above it.
  lay() {
    const written = this.input.value.split("\n");
    const empty = Math.max(FEWEST_LINES - written.length, 0);
    const count = this.given.length + written.length + empty;
    const signature = JSON.stringify([this.given, count]);
    if (signature !== this.signature) {
      this.signature = signature;
      this.rows.replaceChildren(...Array.from({ length: count }, (_, number) => html("div", { class: number < this.given.length ? "row given" : "row" }, html("small", {}, number ? String(number) : ""), html("span", {}, this.given[number] ?? ""))));
    }
    const longest = Math.max(...written.map((line) => line.length + INDENT.length), ...this.given.map((line) => line.length));
    this.sheet.style.setProperty("--above", this.given.length);
    this.sheet.style.setProperty("--below", written.length + empty);
    this.sheet.style.setProperty("--longest", longest + 2);
    this.mark();
  }

  // What is known of the lines holds only while they are the ones that were judged.
  mark() {
    const settled = !this.element.classList.contains("typing") && this.known;
    const bad = new Set(!settled ? [] : this.verdict.state === "unreadable" ? [this.verdict.line] : this.fault?.lines ?? []);
    [...this.rows.children].forEach((row, number) => {
      row.classList.toggle("faulty", bad.has(number));
      row.classList.toggle("current", settled && number === this.line);
    });
  }

  light(line) {
    this.line = line;
    this.mark();
  }
}
