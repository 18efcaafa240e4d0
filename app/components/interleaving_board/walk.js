// A walk through the situations: the steps made so far, those ahead of an order that is followed, and their hazards.

const NAMES = "AB";

class Walk {
  constructor(nodes, order) {
    this.nodes = nodes;
    this.steps = [];
    this.ahead = "";
    for (const name of order) this.make(name);
  }

  get node() { return this.nodes[this.steps.length ? this.steps.at(-1).to : 0]; }
  get order() { return this.steps.map(({ thread }) => NAMES[thread]).join(""); }
  get isOver() { return this.node.after.every((then) => then === null); }

  may(thread) { return this.node.after[thread] !== null; }

  // Whether the thread had a step left. Steps ahead stay ahead as long as they are followed.
  make(name) {
    const thread = NAMES.indexOf(name);
    if (!this.may(thread)) return false;
    const step = this.node.pending[thread];
    const races = this.steps.flatMap((earlier, at) => (Walk.conflict(earlier, step, thread) ? [at] : []));
    this.steps.push({ ...step, thread, races, to: this.node.after[thread] });
    this.ahead = this.ahead[0] === name ? this.ahead.slice(1) : "";
    return true;
  }

  // The next step of the order ahead; without one, of the first thread that has any.
  next() { return this.make(this.ahead[0] ?? NAMES[this.node.after.findIndex((then) => then !== null)] ?? ""); }

  back() {
    const last = this.steps.pop();
    if (last) this.ahead = NAMES[last.thread] + this.ahead;
    return Boolean(last);
  }

  toStart() { while (this.back()); }

  follow(order) {
    this.steps = [];
    this.ahead = order;
  }

  // Different threads at the same memory, one of them writing, nothing that orders them.
  static conflict(earlier, step, thread) {
    return earlier.thread !== thread && earlier.cell === step.cell && earlier.touches && step.touches
      && (earlier.writes || step.writes) && !(earlier.kind === "atomic" && step.kind === "atomic");
  }
}
