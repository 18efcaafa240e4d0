// A thread: its source with the line it stands at, what it holds, and the button that makes its next step.

class ThreadPart {
  constructor(thread, pick) {
    const name = NAMES[thread];
    this.thread = thread;
    this.data = html("small");
    this.lines = html("pre", { "aria-label": `source of thread ${name}` });
    this.holds = html("output", { class: "holds" });
    this.next = html("span", { class: "next" });
    this.button = html("button", { type: "button", class: "pick", onclick: () => pick(name) }, html("b", {}, `${name} steps`), this.next);
    this.element = html("section", { class: `thread thread-${name}` }, html("h3", {}, `Thread ${name}`, this.data), this.lines, html("p", { class: "register" }, "holds ", this.holds), this.button);
  }

  build(source, data) {
    this.data.textContent = `counts ${data.join(", ")}`;
    this.lines.replaceChildren(...source.map((text) => html("code", {}, text || " ")));
  }

  paint(node) {
    const pending = node.pending[this.thread];
    [...this.lines.children].forEach((line, at) => line.classList.toggle("current", at === pending?.line));
    this.holds.textContent = node.holds[this.thread] ?? "nothing";
    this.next.textContent = pending ? `next: ${pending.text}` : "finished";
    this.button.disabled = !pending;
    this.button.classList.toggle("danger", Boolean(pending?.lost > 0));
  }
}

// All steps made, one column each, on the row of their thread; those ahead are pale.
class Timeline {
  constructor(look) {
    this.look = look;
    this.element = html("div", { class: "timeline", role: "list", "aria-label": "steps made" });
  }

  paint(walk, bins) {
    const { steps, ahead } = walk;
    const name = (thread, row) => html("b", { class: `lane-name thread-${NAMES[thread]}`, style: `grid-area: ${row} / 1` }, NAMES[thread]);
    const chip = (step, at) => html("button", {
      type: "button", role: "listitem", class: `chip thread-${NAMES[step.thread]}${step.lost > 0 ? " lost" : ""}${step.races.length ? " races" : ""}`,
      style: `grid-area: ${step.thread + 1} / ${at + 2}`, title: `step ${at + 1}: ${NAMES[step.thread]}, ${step.text}, ${bins[step.cell]}`,
      onpointerenter: () => this.look(at), onpointerleave: () => this.look(undefined), onfocus: () => this.look(at), onblur: () => this.look(undefined),
    }, step.text);
    const pale = [...ahead].map((letter, at) => html("i", { class: `chip ahead thread-${letter}`, style: `grid-area: ${NAMES.indexOf(letter) + 1} / ${steps.length + at + 2}` }, "·"));
    this.element.replaceChildren(name(0, 1), name(1, 2), ...steps.map(chip), ...pale);
    this.chips = [...this.element.querySelectorAll("button.chip")];
  }

  light(steps, at) {
    const lit = new Set(at === undefined ? [] : [at, ...steps[at].races]);
    this.chips.forEach((chip, place) => chip.toggleAttribute("data-lit", lit.has(place) && lit.size > 1));
  }
}
