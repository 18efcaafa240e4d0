// What a visitor has written, kept in this browser: right answers for good, others until they are right.

class Progress {
  // `store` is the name under which the browser keeps it.
  constructor(store) {
    this.store = store;
    const kept = this.read();
    this.answers = kept.answers ?? {};
    this.drafts = kept.drafts ?? {};
  }

  // A browser may refuse to keep anything: then progress lasts as long as the page.
  read() {
    try { return JSON.parse(localStorage.getItem(this.store)) ?? {}; } catch { return {}; }
  }

  write() {
    try { localStorage.setItem(this.store, JSON.stringify({ answers: this.answers, drafts: this.drafts })); } catch { /* nothing is kept */ }
  }

  // `solved` is what the page has judged right.
  keep(puzzle, answer, solved) {
    if (solved[puzzle] === answer && answer) {
      this.answers[puzzle] = answer;
      delete this.drafts[puzzle];
    } else if (answer) this.drafts[puzzle] = answer;
    else delete this.drafts[puzzle];
    this.write();
  }

  // The line to open a puzzle with.
  of(puzzle, solved) { return solved[puzzle] ?? this.drafts[puzzle] ?? this.answers[puzzle] ?? ""; }

  // Right answers that the page does not know of.
  missing(solved) { return Object.keys(this.answers).some((name) => !(name in solved)); }

  forget() {
    this.answers = {};
    this.drafts = {};
    this.write();
  }
}
