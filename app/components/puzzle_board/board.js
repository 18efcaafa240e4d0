// The whole: the overview, the lines of the answer, examples, and the input on which a line fails.

const EXAMPLES = 3;

class LinePuzzleBoard extends PuzzleBoard {
  constructor(root) {
    super(root, "unroll.puzzles", "↵");
    this.examples = Array.from({ length: EXAMPLES }, (_, k) => new Example(`Example ${k + 1}`));
    this.failing = new Example("The simplest input found on which it fails");
    this.task = html("p", { class: "task" });
    this.frames = html("div", { class: "fields" });
    this.shelf = html("div", { class: "examples" }, ...this.examples.map(({ element }) => element));
    const others = html("button", { type: "button", class: "quiet", onclick: () => this.offer("inputs", {}) }, "Other examples");
    const work = html("main", {}, this.heading, this.statement, this.task, this.frames,
      html("div", { class: "shelf" }, html("div", { class: "bar" }, html("span", {}, "Three of the inputs it is tried on"), others), this.shelf),
      this.failing.element,
      html("div", { class: "help" }, this.hint, this.hints, this.language));
    root.replaceChildren(html("div", { class: "puzzle-board" }, this.overview.element, work));
    this.stopListening = listenAnywhere(root, (event, target) => this.present(event, target));
  }

  get text() { return this.lines.map(({ text }) => text).join("; ").replace(/^; $/, ""); }
  get accepted() { return this.data.accepted; }
  get lines() { return this.fields.slice(0, this.data.parts.length); }

  show(data, again) {
    this.task.replaceChildren(...quoted(data.task));
    this.task.hidden = !data.task;
    this.showLines(again);
    this.showPictures(again || data.seed !== this.seed);
    this.seed = data.seed;
    this.showLanguage(data);
  }

  showLines(again) {
    const { parts, most, names } = this.data;
    while (this.fields.length < parts.length) this.fields.push(new Line((final) => this.answer(final), () => this.entered()));
    this.lines.forEach((line, k) => line.show(parts[k], { most, names, again }));
    if (this.frames.children.length !== parts.length) this.frames.replaceChildren(...this.lines.map(({ element }) => element));
  }

  showPictures(again) {
    const { parts, examples, split } = this.data;
    this.shelf.classList.toggle("wide", parts.some(({ places }) => places.length > 3));
    this.examples.forEach((example, k) => example.update(examples[k], parts, parts.map(({ pictures }) => pictures[k]), { split, again }));
    const only = parts.findIndex(({ failing, state }) => failing && (state === "wrong" || state === "fault"));
    this.failing.element.hidden = only < 0;
    if (only < 0) return;
    const { failing } = parts[only];
    this.failing.update(failing, parts, parts.map(() => failing.pictures), { split, again: true, only });
  }

  showLanguage({ names, functions, earlier }) {
    const code = (name) => [html("code", {}, name), " "];
    const yours = earlier.filter(({ solved }) => solved).map(({ name }) => name);
    this.language.replaceChildren("Names: ", ...names.flatMap(code), "· Functions: ", ...[...functions, ...yours].flatMap(code),
      "· ", ...code("+ - * / // % ** @"), ...code("< <= == != >= >"), ...code("a[0, None, 1:3, b]"), ...code("a.shape[0]"), "· A comparison is 1 or 0.",
      earlier.length > yours.length ? " A puzzle that you have solved becomes a function for those after it." : "");
  }

  answer(final) {
    const long = this.lines.some(({ text }) => text.length > this.data.most);
    if (long) this.showLines(false);
    else super.answer(final);
  }

  // A presenter's arrows and clicker: one puzzle on, one back.
  present(event, target) {
    if (target.closest?.(USES_KEYS) || target.closest?.(".cell, .chip")) return false;
    const step = { ArrowRight: 1, PageDown: 1, ArrowLeft: -1, PageUp: -1 }[event.key];
    if (step) this.choose(this.overview.at(step));
    else if (event.key === "Home") this.choose(this.data.puzzles[0].name);
    return Boolean(step) || event.key === "Home";
  }
}

export default mounting(LinePuzzleBoard);
