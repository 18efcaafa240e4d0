// What meets what: an element of the output reads one of the input through a weight, along every axis at once.

const [OUT, WEIGHT, IN] = [0, 1, 2]; // the places in a meeting
const ROLES = { y: OUT, w: WEIGHT, x: IN };
const twinOf = (part) => (part.endsWith(".grad") ? part.slice(0, -5) : `${part}.grad`);
const roleOf = (part) => ROLES[part.replace(".grad", "")];
const keyOf = (part, index) => `${part} ${index.join(",")}`;

class Meetings {
  constructor({ meetings, winners, input, output }) {
    Object.assign(this, { axes: meetings, winners, input, output });
    this.lengths = meetings.map((along) => along[0]?.map((part) => part.length) ?? [1, 1, 1]);
  }

  // All [output, weight, input] indices in which this index has this role, in order.
  of(role, index) {
    let from = 0;
    let found = [[[], [], []]];
    for (const [axis, along] of this.axes.entries()) {
      const part = index.slice(from, from + this.lengths[axis][role]);
      from += part.length;
      const met = along.filter((meeting) => meeting[role].every((i, k) => i === part[k]));
      found = found.flatMap((head) => met.map((meeting) => head.map((indices, k) => [...indices, ...meeting[k]])));
    }
    return found;
  }

  // Those that a gradient comes back along: of a max pooling only from the element that was taken.
  back(role, index) {
    const all = this.of(role, index).filter((met) => this.inside(met[IN]));
    if (!this.winners) return all;
    return all.filter((met) => this.winners[positionOf(this.output, met[OUT])] === positionOf(this.input, met[IN]));
  }

  inside(index) { return index.every((i, d) => i >= 0 && i < this.input.shape[d]); }

  // The keys of all cells that light up with a cell: its other half, and what it is made of or goes into.
  partners(part, index) {
    const role = roleOf(part);
    const backward = part.endsWith(".grad");
    const met = backward ? this.back(role, index) : this.of(role, index);
    const parts = { "y.grad": { [WEIGHT]: "w.grad", [IN]: "x.grad" }, "x.grad": { [OUT]: "y.grad", [WEIGHT]: "w" }, "w.grad": { [OUT]: "y.grad", [IN]: "x" } }[part]
      ?? { [OUT]: "y", [WEIGHT]: "w", [IN]: "x" };
    const keys = met.flatMap((indices) => Object.entries(parts).map(([place, name]) => keyOf(name, indices[place])));
    return new Set([keyOf(part, index), keyOf(twinOf(part), index), ...keys]);
  }
}

// Cells lit by what they meet.
class Pairs extends SteppedLinks {
  add(node, cell) {
    const key = keyOf(cell.part, cell.index);
    this.cells.set(node, { ...cell, key, node });
    this.parts.get(cell.part).set(key, [node]);
  }

  nodes(key) {
    const [part, index] = key.split(" ");
    return [...this.meetings.partners(part, index.split(",").map(Number))].flatMap((one) => this.parts.get(one.split(" ")[0])?.get(one) ?? []);
  }

  // The cells were made anew: what was looked at is found again.
  renew(stepped) {
    const again = (cell) => this.cells.get(cell && this.parts.get(cell.part)?.get(cell.key)?.[0]);
    const pointed = this.hovered !== this.stepped && again(this.hovered);
    const pinned = again(this.pinned);
    if (this.pinned) super.pin();
    this.stepped = again(stepped);
    this.hovered = pointed || this.stepped;
    if (pinned) this.pin(pinned);
    this.light();
  }
}
