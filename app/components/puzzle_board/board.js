// The whole: overview, statement, the lines of the answer, hints, examples, and the input on which a line fails.

const boards = new WeakMap();
const EXAMPLES = 3;
const STORE = "unroll.puzzles";
const KINDS = { tensor: "Tensors", autodiff: "Derivatives" };

class Board {
  constructor(root) {
    this.root = root;
    this.progress = new Progress(STORE);
    this.channel = new ChangeChannel((change) => this.send("change", change));
    this.overview = new Overview(KINDS, (name) => this.choose(name), () => this.forget());
    this.lines = [];
    this.examples = Array.from({ length: EXAMPLES }, (_, k) => new Example(`Example ${k + 1}`));
    this.failing = new Example("It fails on");
    this.build();
    this.stopListening = listenAnywhere(root, (event, target) => this.present(event, target));
  }

  build() {
    const button = (name, label, distance) => iconButton(name, label, () => this.choose(this.overview.at(distance)));
    this.back = button("previous", "previous puzzle", -1);
    this.forth = button("next", "next puzzle", 1);
    this.title = html("h3", {});
    this.statement = html("p", { class: "statement" });
    this.task = html("p", { class: "task" });
    this.fields = html("div", { class: "fields" });
    this.onward = html("button", { type: "button", class: "onward", onclick: () => this.goOn() });
    this.hint = html("button", { type: "button", class: "quiet", onclick: () => this.channel.offer({ name: "hint", value: {}, final: true }) });
    this.hints = html("ol", { class: "hints", "aria-live": "polite" });
    this.language = html("p", { class: "language" });
    this.others = html("button", { type: "button", class: "quiet", onclick: () => this.channel.offer({ name: "examples", value: {}, final: true }) }, "Other examples");
    this.shelf = html("div", { class: "examples" }, ...this.examples.map(({ element }) => element));
    const heading = html("header", {}, this.back, this.title, this.forth, this.onward);
    const work = html("main", {}, heading, this.statement, this.task, this.fields,
      html("div", { class: "shelf" }, html("div", { class: "bar" }, html("span", {}, "Three of the inputs it is tried on"), this.others), this.shelf),
      this.failing.element,
      html("div", { class: "help" }, this.hint, this.hints, this.language));
    this.root.replaceChildren(html("div", { class: "puzzle-board" }, this.overview.element, work));
  }

  update(data, send) {
    const again = data.puzzle !== this.data?.puzzle || data.seed !== this.data?.seed;
    const other = data.puzzle !== this.data?.puzzle;
    Object.assign(this, { data, send });
    dress(this.root, data);
    this.keep();
    this.channel.answered();
    this.overview.update(data);
    this.title.replaceChildren(html("small", {}, `${data.number}`), data.title);
    this.statement.replaceChildren(...quoted(data.statement));
    this.task.replaceChildren(...quoted(data.task));
    this.task.hidden = !data.task;
    this.showLines(other);
    this.showPictures(again);
    this.showHelp();
    this.back.disabled = !this.overview.at(-1);
    this.forth.disabled = !this.overview.at(1);
    this.showOnward();
    this.root.dataset.puzzle = data.puzzle;
    if (!this.restored) this.restore();
    this.root.dataset.ready = "true";
  }

  showLines(other) {
    const { parts, most, names } = this.data;
    while (this.lines.length < parts.length) this.lines.push(new Line((final) => this.answer(final), () => this.entered()));
    const shown = this.lines.slice(0, parts.length);
    shown.forEach((line, k) => line.show(parts[k], { most, names, again: other || this.cleared }));
    this.cleared = false;
    if (this.fields.children.length !== parts.length) this.fields.replaceChildren(...shown.map(({ element }) => element));
  }

  showPictures(again) {
    const { parts, examples, split } = this.data;
    this.shelf.classList.toggle("wide", parts.some(({ places }) => places.length > 3));
    this.examples.forEach((example, k) => example.update(examples[k], parts, parts.map(({ pictures }) => pictures[k]), { split, again }));
    const only = parts.findIndex(({ failing, state }) => failing && (state === "wrong" || state === "fault"));
    this.failing.element.hidden = only < 0;
    if (this.failing.element.hidden) return;
    const { failing } = parts[only];
    this.failing.element.querySelector("h4").textContent = "The simplest input found on which it fails";
    this.failing.update(failing, parts, parts.map(() => failing.pictures), { split, again: true, only });
  }

  showHelp() {
    const { hints, hint_count: count, names, functions, earlier } = this.data;
    this.hints.replaceChildren(...hints.map((text) => html("li", {}, ...quoted(text))));
    this.hint.textContent = hints.length ? `Another hint (${hints.length} of ${count})` : `A hint (${count} in all)`;
    this.hint.hidden = hints.length >= count;
    const code = (name, attributes = {}) => [html("code", attributes, name), " "];
    const yours = earlier.filter(({ solved }) => solved).map(({ name }) => name);
    this.language.replaceChildren("Names: ", ...names.flatMap((name) => code(name)), "· Functions: ", ...[...functions, ...yours].flatMap((name) => code(name)),
      "· ", ...code("+ - * / // % ** @"), ...code("< <= == != >= >"), ...code("a[0, None, 1:3, b]"), ...code("a.shape[0]"), "· A comparison is 1 or 0.",
      earlier.length > yours.length ? " A puzzle that you have solved becomes a function for those after it." : "");
  }

  showOnward() {
    const next = this.overview.unsolved();
    this.onward.hidden = !this.data.accepted;
    this.onward.textContent = next ? "Next unsolved ↵" : "All solved";
    this.onward.disabled = !next;
  }

  get answerText() { return this.lines.slice(0, this.data.parts.length).map(({ text }) => text).join("; ").replace(/^; $/, ""); }

  answer(final) {
    const { most, parts } = this.data;
    const long = this.lines.slice(0, parts.length).some(({ text }) => text.length > most);
    if (long) {
      this.showLines(false);
      return;
    }
    this.wrote = true;
    this.channel.offer({ name: "answer", value: { puzzle: this.data.puzzle, answer: this.answerText }, final });
  }

  // Only what was written here is kept, not what a link brought along.
  keep() {
    if (!this.wrote || !this.lines.length || this.data.puzzle !== this.root.dataset.puzzle) return;
    const answer = this.data.parts.map(({ text }) => text).join("; ").replace(/^; $/, "");
    if (answer === this.answerText) this.progress.keep(this.data.puzzle, answer, this.data.solved);
  }

  entered() { if (this.data.accepted) this.goOn(); }

  goOn() {
    this.choose(this.overview.unsolved());
    this.lines[0].input.focus();
  }

  choose(puzzle) {
    if (!puzzle || puzzle === this.data.puzzle) return;
    for (const line of this.lines) line.commit();
    this.wrote = false;
    this.channel.offer({ name: "choose", value: { puzzle, answer: this.progress.of(puzzle, this.data.solved) }, final: true });
  }

  restore() {
    this.restored = true;
    const { solved, puzzle, parts } = this.data;
    const empty = parts.every(({ text }) => !text);
    const answer = this.progress.of(puzzle, solved);
    if (!this.progress.missing(solved) && !(empty && answer)) return;
    this.channel.offer({ name: "restore", value: { answers: this.progress.answers, answer }, final: true });
  }

  forget() {
    this.progress.forget();
    this.wrote = false;
    this.cleared = true;
    for (const line of this.lines) clearTimeout(line.timer);
    this.channel.offer({ name: "forget", value: {}, final: true });
  }

  // A presenter's arrows and clicker: one puzzle on, one back.
  present(event, target) {
    if (target.closest?.(USES_KEYS) || target.closest?.(".cell, .chip")) return false;
    const step = { ArrowRight: 1, PageDown: 1, ArrowLeft: -1, PageUp: -1 }[event.key];
    if (step) this.choose(this.overview.at(step));
    else if (event.key === "Home") this.choose(this.data.puzzles[0].name);
    return Boolean(step) || event.key === "Home";
  }

  destroy() {
    for (const line of this.lines) clearTimeout(line.timer);
    this.stopListening();
    boards.delete(this.root);
  }
}

// Streamlit calls this again on every change of data or theme, with the same parentElement.
export default function ({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector(".unroll");
  if (!root || !data) return undefined;
  if (!boards.has(root)) boards.set(root, new Board(root));
  boards.get(root).update(data, setTriggerValue);
  // A superseded call is cleaned up while the component lives on: only a root that left the page is over.
  return () => setTimeout(() => { if (!root.isConnected) boards.get(root)?.destroy(); });
}
