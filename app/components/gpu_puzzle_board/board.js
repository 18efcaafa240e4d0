// The whole: the overview, and the kernel with what is known of it on the left, one of its launches on the right.

class GpuPuzzleBoard extends PuzzleBoard {
  constructor(root) {
    super(root, "unroll.gpu_puzzles", "Ctrl ↵");
    this.editor = new Editor((final) => this.answer(final), () => this.entered());
    this.fields.push(this.editor);
    this.report = new Report((fault) => this.visit(fault));
    this.picture = new Picture((name, value) => this.offer(name, value), (line) => this.editor.light(line));
    this.solution = html("button", { type: "button", class: "quiet", onclick: () => this.offer("reference", { open: this.data.reference === null }) });
    this.reference = html("pre", { class: "reference", tabindex: 0, "aria-label": "reference" });
    const help = html("div", { class: "help" }, this.hint, this.solution, this.hints, this.reference, this.language);
    const work = html("main", {}, this.heading, this.statement, html("div", { class: "work" }, html("div", { class: "writing" }, this.editor.element, this.report.element, help), this.picture.element));
    root.replaceChildren(html("div", { class: "puzzle-board gpu gpu-puzzles" }, this.overview.element, work));
    this.stopListening = listenAnywhere(root, (event, target) => this.picture.stepper.present(event, target));
  }

  get text() { return this.editor.text; }
  get accepted() { return this.data.verdict.state === "accepted"; }

  show(data, again) {
    this.editor.show(data, again);
    this.report.update(data, this.editor.long);
    const unreadable = data.verdict.state === "unreadable" || this.editor.long;
    this.picture.update(data, this.root.dataset.theme, unreadable && !again && Boolean(this.picture.data));
    this.showHelp(data);
    this.root.dataset.state = data.verdict.state;
  }

  showHelp({ reference, names }) {
    this.solution.textContent = reference === null ? "Show the reference" : "Hide the reference";
    this.reference.textContent = reference ?? "";
    this.reference.hidden = reference === null;
    const code = (...all) => all.flatMap((name) => [html("code", {}, name), " "]);
    this.language.replaceChildren("There are ", ...code(...names, "cuda.threadIdx.x", "cuda.blockIdx.x", "cuda.blockDim.x", "cuda.grid(1)", "cuda.syncthreads()", "cuda.shared.array(TPB, float32)"),
      "· ", ...code("if", "elif", "else", "for … in range(…)", "while", "return"), "· ", ...code("= += -= *=", "+ - * / // % **", "and or not", "min max abs"), "· Tab indents, Esc leaves the lines.");
  }

  answer(final) {
    if (this.text.length <= this.data.most) { super.answer(final); return; }
    this.editor.show(this.data, false);
    this.report.update(this.data, true);
  }

  visit({ block, step }) {
    if (block === this.data.block && step !== null) this.picture.choose(step, true);
    else this.offer("block", { block, step: -1 });
  }

  destroy() {
    super.destroy();
    this.picture.stepper.pause();
  }
}

export default mounting(GpuPuzzleBoard);
