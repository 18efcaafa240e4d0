// What is looked at, written out: an index, the positions that follow from it, and the numbers there.

class Terms {
  constructor() { this.element = html("div", { class: "formula terms", "aria-live": "polite" }); }

  say(...children) { this.element.replaceChildren(...children); }

  show(data, steps, links, cell) {
    this.tensors = Object.fromEntries(data.tensors.map((tensor) => [tensor.name, tensor]));
    if (cell.key === "step") return this.step(data, steps.all[links.at]);
    const [part, position] = cell.key.split(" ");
    return part === RESULT ? this.output(data, steps, Number(position)) : this.input(steps, part, Number(position));
  }

  // Of a step: which index of the result it is for, what it reads, what that comes to and where it is stored.
  step(data, step) {
    const { output, write, value, pair } = step;
    const index = indexAt(this.tensors.out.shape, output);
    const name = `out[${index.join(", ")}]`;
    const places = inputs(step).flatMap(({ part, position }) => this.place(data, part, position, index));
    if (write >= 0) {
      const { strides } = this.tensors.out;
      return this.say(...places, this.located(RESULT, index, this.sumOf(this.tensors.out, index, strides), write), hint(`becomes ${format(value, 6)}`));
    }
    this.say(...places, ...(pair ? [combination(data.sign, pair, value)] : []), hint(`for ${name}`));
  }

  // [index]: offset + Σ index · stride = slot.
  located(name, index, terms, position) {
    return piece(named(name, index), infix(":"), terms, infix("="), math("mn", { class: "value" }, `slot ${position}`));
  }

  // Where an operand is read: walked with stride 0 where it is repeated, it is the index of the result that leads there.
  place(data, part, position, index) {
    const tensor = this.tensors[part];
    const walked = walksAlike(data) && part !== RESULT;
    const own = ownIndex(tensor, position);
    const from = walked ? this.sumOf(tensor, index, tensor.expanded) : this.sumOf(tensor, own, tensor.strides);
    return [this.located(part, own, from, position), hint(`holds ${format(decode(tensor.values[position]), 6)}`)];
  }

  // offset + Σ index · stride, in numbers.
  sumOf({ offset }, index, strides) {
    return math("mrow", {}, math("mn", {}, String(offset)), ...sum(index.map((i, d) => [number(i), number(strides[d])])));
  }

  output(data, steps, position) {
    const index = indexAt(this.tensors.out.shape, position);
    const key = keyOf(RESULT, position);
    const reads = steps.readsOf(key);
    const value = math("mn", { class: "value" }, format(decode(this.tensors.out.values[position]), 6));
    const left = piece(named(RESULT, index), infix("="));
    if (data.operation === "matmul") {
      const pairs = steps.reads.get(key).filter((step) => inputs(step).length === 2);
      const term = (step) => math("mrow", {}, ...inputs(step).flatMap((read, k) => [...(k ? [operator("·")] : []), this.number(read)]));
      return this.say(left, ...added(pairs, term), piece(infix("="), value), hint(`reads ${slotsOf(reads)}`));
    }
    if (data.operation === "reduce") return this.say(left, piece(math("mtext", {}, `${data.sign} of`)), ...listing(reads, (read) => this.number(read)), piece(infix("="), value), hint(`reads ${slotsOf(reads)}`));
    const places = reads.map((read) => this.place(data, read.part, read.position, index));
    return this.say(left, piece(value), ...places.flat());
  }

  input(steps, part, position) {
    const tensor = this.tensors[part];
    const own = ownIndex(tensor, position);
    const feeds = steps.readBy.get(keyOf(part, position))?.size ?? 0;
    if (!own) return this.say(hint(`slot ${position} of ${part}'s storage is no element of the view: nothing reads it`));
    return this.say(...this.place({}, part, position, own), hint(`feeds ${count(feeds, "element")} of out`));
  }

  number({ part, position }) { return number(decode(this.tensors[part].values[position])); }
}

// Two numbers, and the rounded one that they make.
function combination(name, [left, right], value) {
  const exact = (number) => math("mn", {}, format(number, 9));
  const sign = { sum: "+", prod: "·" }[name];
  const together = sign ? [exact(left), infix(sign), exact(right)] : [math("mtext", {}, `${name}(`), exact(left), operator(","), exact(right), operator(")")];
  return piece(...together, infix("→"), math("mn", { class: "value" }, format(value, 9)));
}

// The index of the element at a position; elements are in the order of their indices.
function ownIndex(tensor, position) {
  const place = tensor.elements.indexOf(position);
  return place < 0 ? undefined : indexAt(tensor.shape, place);
}

function slotsOf(reads) {
  const parts = [...new Set(reads.map(({ part }) => part))];
  return parts.map((part) => {
    const slots = reads.filter((read) => read.part === part).map(({ position }) => position);
    const shown = slots.slice(0, 8).join(", ");
    return `slot${slots.length === 1 ? "" : "s"} ${shown}${slots.length > 8 ? " …" : ""} of ${part}`;
  }).join(" and ");
}
