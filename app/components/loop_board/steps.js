// The recorded steps of the loop, and what follows from them: which inputs an output reads, which outputs an input feeds.

const RESULT = "out";
const keyOf = (part, position) => `${part} ${position}`;

class Steps {
  constructor({ steps, tensors }) {
    const names = tensors.map(({ name }) => name);
    this.all = steps.map(([line, output, write, value, pair, ...reads]) => ({ line, output, write, value: decode(value), pair: pair?.slice(0, 2).map(decode), madeOf: pair?.slice(2) ?? [],
      reads: reads.flatMap((storage, k) => (k % 2 ? [] : [{ part: names[storage], position: reads[k + 1] }])) }));
    this.readBy = new Map(); // key of an input -> keys of the outputs that read it
    this.reads = new Map(); // key of an output -> the steps that read for it
    for (const step of this.all) {
      const output = keyOf(RESULT, step.output);
      if (!this.reads.has(output)) this.reads.set(output, []);
      this.reads.get(output).push(step);
      for (const { part, position } of inputs(step)) {
        const key = keyOf(part, position);
        if (!this.readBy.has(key)) this.readBy.set(key, new Set());
        this.readBy.get(key).add(output);
      }
    }
  }

  get last() { return this.all.length - 1; }

  // The keys of all cells that light up with one.
  partners(key) {
    if (!key.startsWith(RESULT)) return [key, ...(this.readBy.get(key) ?? [])];
    return [key, ...new Set(this.readsOf(key).map(({ part, position }) => keyOf(part, position)))];
  }

  readsOf(key) { return (this.reads.get(key) ?? []).flatMap(inputs); }

  // The keys of what a step reads, combines or stores.
  touched(step) {
    const { reads, write, madeOf } = this.all[step];
    return [...new Set([...madeOf.map((position) => keyOf("a", position)), ...reads.map(({ part, position }) => keyOf(part, position)), ...(write < 0 ? [] : [keyOf(RESULT, write)])])];
  }

  // What has been stored in the result by the end of a step: position -> number.
  stored(step) {
    const found = new Map();
    for (const { write, value } of this.all.slice(0, step + 1)) if (write >= 0) found.set(write, value);
    return found;
  }
}

// Loops that add to the result in place read it as well; what goes in are the operands.
const inputs = ({ reads }) => reads.filter(({ part }) => part !== RESULT);

// A cell and its slot, lit with what they are read for or made of; if none is looked at, what the step touches.
class StepLinks extends SteppedLinks {
  add(node, cell) { super.add(node, { ...cell, element: keyOf(cell.part.split(".")[0], cell.position) }); }

  nodesAt(key) { return super.nodes(key); }

  nodes(key, part) {
    const keys = key === "step" ? this.steps.touched(this.at) : this.steps.partners(key);
    return keys.flatMap((one) => super.nodes(one, part));
  }

  // The slider stands on a step: it lights where nothing is pointed at.
  stand(steps, at) {
    Object.assign(this, { steps, at });
    const pointed = this.hovered !== this.stepped && this.hovered?.node.isConnected ? this.hovered : undefined;
    this.stepped = { key: "step", node: html("span") };
    this.hovered = pointed ?? (this.pinned ? undefined : this.stepped);
    this.light();
  }
}
