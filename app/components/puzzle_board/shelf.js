// What every board of puzzles has: the overview, the open puzzle's words and hints, and progress that is kept.

class PuzzleBoard {
  // `store` is the name under which this browser keeps what was written, `key` what leads on from a right answer.
  constructor(root, store, key) {
    Object.assign(this, { root, key });
    this.fields = []; // `Written`, that the answer is written into
    this.progress = new Progress(store);
    this.channel = new ChangeChannel((change) => this.send("change", change));
    this.overview = new Overview((name) => this.choose(name), () => this.forget());
    const button = (name, label, distance) => iconButton(name, label, () => this.choose(this.overview.at(distance)));
    this.back = button("previous", "previous puzzle", -1);
    this.forth = button("next", "next puzzle", 1);
    this.title = html("h3", {});
    this.statement = html("p", { class: "statement" });
    this.onward = html("button", { type: "button", class: "onward", onclick: () => this.goOn() });
    this.hint = html("button", { type: "button", class: "quiet", onclick: () => this.offer("hint", {}) });
    this.hints = html("ol", { class: "hints", "aria-live": "polite" });
    this.language = html("p", { class: "language" });
    this.heading = html("header", {}, this.back, this.title, this.forth, this.onward);
  }

  // What a subclass says: the text that is written, whether it is right, and how all of it is shown; with
  // `again` nothing of what is being written stays.
  get text() { return ""; }
  get accepted() { return false; }
  show() {}

  update(data, send) {
    const again = data.puzzle !== this.data?.puzzle || this.cleared;
    Object.assign(this, { data, send });
    this.keep();
    this.channel.answered();
    this.overview.update(data);
    this.title.replaceChildren(html("small", {}, `${data.number}`), data.title);
    this.statement.replaceChildren(...quoted(data.statement));
    this.showHints(data);
    this.show(data, again);
    if (data.puzzle === this.awaited) this.lock();
    this.cleared = false;
    this.back.disabled = !this.overview.at(-1);
    this.forth.disabled = !this.overview.at(1);
    this.showOnward();
    this.root.dataset.puzzle = data.puzzle;
    if (!this.restored) this.restore();
  }

  showHints({ hints, hint_count: count }) {
    this.hints.replaceChildren(...hints.map((text) => html("li", {}, ...quoted(text))));
    this.hint.textContent = hints.length ? `Another hint (${hints.length} of ${count})` : `A hint (${count} in all)`;
    this.hint.hidden = hints.length >= count;
  }

  showOnward() {
    const next = this.overview.unsolved();
    this.onward.hidden = !this.accepted;
    this.onward.textContent = next ? `Next unsolved ${this.key}` : "All solved";
    this.onward.disabled = !next;
  }

  offer(name, value, final = true) { this.channel.offer({ name, value, final }); }

  answer(final) {
    this.wrote = true;
    this.offer("answer", { puzzle: this.data.puzzle, answer: this.text }, final);
  }

  // Only what was written here is kept, not what a link brought along.
  keep() {
    const { answer, puzzle, solved } = this.data;
    if (this.wrote && puzzle === this.root.dataset.puzzle && answer === this.text) this.progress.keep(puzzle, answer, solved);
  }

  entered() { if (this.accepted) this.goOn(); }

  goOn() {
    this.choose(this.overview.unsolved());
    this.fields[0].input.focus();
  }

  choose(puzzle) {
    if (!puzzle || puzzle === this.data.puzzle) return;
    for (const field of this.fields) field.commit();
    if (this.wrote) this.progress.keep(this.data.puzzle, this.text, this.data.solved);
    this.wrote = false;
    this.lock(puzzle);
    this.offer("choose", { puzzle, answer: this.progress.of(puzzle, this.data.solved) });
  }

  // Until the puzzle that was chosen is there, nothing can be written into the one before it.
  lock(puzzle) {
    this.awaited = puzzle;
    for (const field of this.fields) field.input.readOnly = Boolean(puzzle);
  }

  restore() {
    this.restored = true;
    const { solved, puzzle, answer: given } = this.data;
    const answer = this.progress.of(puzzle, solved);
    if (!this.progress.missing(solved) && (given || !answer)) return;
    this.offer("restore", { answers: this.progress.answers, answer });
  }

  forget() {
    this.progress.forget();
    this.wrote = false;
    this.cleared = true;
    for (const field of this.fields) field.rest();
    this.offer("forget", {});
  }

  destroy() {
    for (const field of this.fields) field.rest();
    this.stopListening();
  }
}
