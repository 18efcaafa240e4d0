// The way to the simplest example: every example that Hypothesis took, first to last; the chosen one is followed above.

class Path {
  constructor(choose) {
    this.choose = choose;
    this.stepper = new Stepper((step, settled) => this.go(step, settled), "example", "examples, from the first found to the simplest");
    this.rows = html("div", { class: "rows", role: "listbox", "aria-label": "examples, from the first found to the simplest", tabindex: -1 });
    this.element = html("section", { class: "path" }, html("h3", {}, "From the first example found to the simplest"), this.stepper.transport, this.rows);
  }

  update({ path, place }) {
    this.element.hidden = path.length < 2;
    const written = JSON.stringify(path);
    if (written !== this.written) this.build(path);
    this.written = written;
    this.stepper.limit(path.length - 1);
    if (!this.stepper.timer) this.mark(place);
  }

  build(path) {
    this.entries = path.map(({ tries, given: values, names, left, right, apart }, index) => html("div",
      { class: "entry", role: "option", tabindex: 0, onclick: () => this.go(index, true), onkeydown: (event) => this.key(event, index) },
      html("small", {}, `try ${tries}`), html("code", {}, names.map((name, k) => `${name} = ${values[k]}`).join("  ")), html("small", { class: "gap" }, apart), html("span", { class: "hidden" }, `${left} and ${right}`)));
    this.rows.replaceChildren(...this.entries);
  }

  go(step, settled) {
    const last = this.entries.length - 1;
    const place = clamp(step, 0, last);
    this.mark(place);
    this.choose(last - place, settled);
  }

  mark(place) {
    const last = this.entries.length - 1;
    this.stepper.stand(place, `${place + 1} of ${last + 1}`);
    this.entries.forEach((entry, index) => entry.setAttribute("aria-selected", String(index === place)));
    const entry = this.entries[place];
    if (entry) this.rows.scrollTop = entry.offsetTop - this.rows.clientHeight / 2;
  }

  key(event, index) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    this.go(index + step, true);
    this.entries[clamp(index + step, 0, this.entries.length - 1)].focus({ preventScroll: true });
  }
}
