// The whole: overview, statement, the kernel with what is known of it on the left, one of its launches on the right.

const boards = new WeakMap();
const STORE = "unroll.gpu_puzzles";
const KINDS = { "One block": "One block", "Many blocks": "Many blocks", "Shared memory": "Shared memory" };

class Board {
  constructor(root) {
    this.root = root;
    this.progress = new Progress(STORE);
    this.channel = new ChangeChannel((change) => this.send("change", change));
    this.overview = new Overview(KINDS, (name) => this.choose(name), () => this.forget());
    this.editor = new Editor((final) => this.answer(final), () => this.entered());
    this.report = new Report((fault) => this.visit(fault));
    this.picture = new Picture((name, value) => this.offer(name, value), (line) => this.editor.light(line));
    this.build();
    this.stopListening = listenAnywhere(root, (event, target) => this.picture.stepper.present(event, target));
  }

  build() {
    const button = (name, label, distance) => iconButton(name, label, () => this.choose(this.overview.at(distance)));
    this.back = button("previous", "previous puzzle", -1);
    this.forth = button("next", "next puzzle", 1);
    this.title = html("h3", {});
    this.statement = html("p", { class: "statement" });
    this.onward = html("button", { type: "button", class: "onward", onclick: () => this.goOn() });
    this.hint = html("button", { type: "button", class: "quiet", onclick: () => this.offer("hint", {}) });
    this.solution = html("button", { type: "button", class: "quiet", onclick: () => this.offer("reference", { open: this.data.reference === null }) });
    this.hints = html("ol", { class: "hints", "aria-live": "polite" });
    this.reference = html("pre", { class: "reference", tabindex: 0, "aria-label": "reference" });
    this.language = html("p", { class: "language" });
    const heading = html("header", {}, this.back, this.title, this.forth, this.onward);
    const help = html("div", { class: "help" }, this.hint, this.solution, this.hints, this.reference, this.language);
    const work = html("main", {}, heading, this.statement, html("div", { class: "work" }, html("div", { class: "writing" }, this.editor.element, this.report.element, help), this.picture.element));
    this.root.replaceChildren(html("div", { class: "puzzle-board gpu gpu-puzzles" }, this.overview.element, work));
  }

  update(data, send) {
    const other = data.puzzle !== this.data?.puzzle;
    Object.assign(this, { data, send });
    dress(this.root, data);
    this.keep();
    this.channel.answered();
    this.overview.update(data);
    this.title.replaceChildren(html("small", {}, `${data.number}`), data.title);
    this.statement.replaceChildren(...quoted(data.statement));
    if (data.puzzle === this.awaited) this.lock();
    this.editor.show(data, other || this.cleared);
    this.cleared = false;
    this.report.update(data, this.editor.long);
    const unreadable = data.verdict.state === "unreadable" || this.editor.long;
    this.picture.update(data, this.root.dataset.theme, unreadable && !other && Boolean(this.picture.data));
    this.showHelp();
    this.back.disabled = !this.overview.at(-1);
    this.forth.disabled = !this.overview.at(1);
    this.showOnward();
    this.root.dataset.puzzle = data.puzzle;
    this.root.dataset.state = data.verdict.state;
    if (!this.restored) this.restore();
    this.root.dataset.ready = "true";
  }

  showHelp() {
    const { hints, hint_count: count, reference, names } = this.data;
    this.hints.replaceChildren(...hints.map((text) => html("li", {}, ...quoted(text))));
    this.hint.textContent = hints.length ? `Another hint (${hints.length} of ${count})` : `A hint (${count} in all)`;
    this.hint.hidden = hints.length >= count;
    this.solution.textContent = reference === null ? "Show the reference" : "Hide the reference";
    this.reference.textContent = reference ?? "";
    this.reference.hidden = reference === null;
    const code = (...all) => all.flatMap((name) => [html("code", {}, name), " "]);
    this.language.replaceChildren("There are ", ...code(...names, "cuda.threadIdx.x", "cuda.blockIdx.x", "cuda.blockDim.x", "cuda.grid(1)", "cuda.syncthreads()", "cuda.shared.array(TPB, float32)"),
      "· ", ...code("if", "elif", "else", "for … in range(…)", "while", "return"), "· ", ...code("= += -= *=", "+ - * / // % **", "and or not", "min max abs"), "· Tab indents, Esc leaves the lines.");
  }

  showOnward() {
    const next = this.overview.unsolved();
    this.onward.hidden = this.data.verdict.state !== "accepted";
    this.onward.textContent = next ? "Next unsolved" : "All solved";
    this.onward.disabled = !next;
  }

  offer(name, value, final = true) { this.channel.offer({ name, value, final }); }

  answer(final) {
    if (this.editor.text.length > this.data.most) {
      this.editor.show(this.data, false);
      this.report.update(this.data, true);
      return;
    }
    this.wrote = true;
    this.offer("answer", { puzzle: this.data.puzzle, answer: this.editor.text }, final);
  }

  // Only what was written here is kept, not what a link brought along.
  keep() {
    const { answer, puzzle, solved } = this.data;
    if (this.wrote && puzzle === this.root.dataset.puzzle && answer === this.editor.text) this.progress.keep(puzzle, answer, solved);
  }

  entered() { if (this.data.verdict.state === "accepted") this.goOn(); }

  goOn() {
    this.choose(this.overview.unsolved());
    this.editor.input.focus();
  }

  choose(puzzle) {
    if (!puzzle || puzzle === this.data.puzzle) return;
    this.editor.commit();
    if (this.wrote) this.progress.keep(this.data.puzzle, this.editor.text, this.data.solved);
    this.wrote = false;
    this.lock(puzzle);
    this.offer("choose", { puzzle, answer: this.progress.of(puzzle, this.data.solved) });
  }

  // Until the puzzle that was chosen is there, nothing can be written into the one before it.
  lock(puzzle) {
    this.awaited = puzzle;
    this.editor.input.readOnly = Boolean(puzzle);
  }

  visit({ block, step }) {
    if (block === this.data.block && step !== null) this.picture.choose(step, true);
    else this.offer("block", { block, step: -1 });
  }

  restore() {
    this.restored = true;
    const { solved, puzzle, answer: given } = this.data;
    const answer = this.progress.of(puzzle, solved);
    if (!this.progress.missing(solved) && !(!given && answer)) return;
    this.offer("restore", { answers: this.progress.answers, answer });
  }

  forget() {
    this.progress.forget();
    this.wrote = false;
    this.cleared = true;
    this.editor.rest();
    this.offer("forget", {});
  }

  destroy() {
    this.editor.rest();
    this.picture.stepper.pause();
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
