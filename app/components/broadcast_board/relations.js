// Which cells belong together: an element of the result, what it reads, and where its gradient goes.

const keyOf = (part, position) => `${part} ${position}`;

class Relations extends Links {
  // `readers` maps the key of a cell to the keys of those it is related to.
  relate(readers) { this.readers = readers; }

  add(node, cell) {
    const key = keyOf(cell.part, cell.position);
    this.cells.set(node, { ...cell, key, node });
    if (!this.parts.get(cell.part).has(key)) this.parts.get(cell.part).set(key, []);
    this.parts.get(cell.part).get(key).push(node);
  }

  nodes(key) {
    return [key, ...(this.readers?.get(key) ?? [])].flatMap((one) => this.parts.get(one.slice(0, one.lastIndexOf(" ")))?.get(one) ?? []);
  }
}

// For every drawn element of the result: (its index, its position, the position that each operand is read at).
function drawnReads({ output, operands }) {
  const indices = output.shown.map((axis) => axis.filter((i) => i !== null))
    .reduce((found, axis) => found.flatMap((head) => axis.map((i) => [...head, i])), [[]]);
  return indices.map((index) => ({ index, position: positionOf(output, index), reads: operands.map(({ expanded }) => positionOf({ strides: expanded, offset: 0 }, index)) }));
}

function relations(data, reads) {
  const related = new Map();
  const link = (key, others) => {
    if (!related.has(key)) related.set(key, new Set());
    for (const other of others) if (other !== key) related.get(key).add(other);
  };
  for (const { position, reads: places } of reads) {
    const whole = [keyOf("result", position), keyOf("upstream", position)];
    const parts = places.map((place, k) => [keyOf(data.operands[k].name, place), keyOf(`${data.operands[k].name}.grad`, place)]);
    for (const key of whole) link(key, [...whole, ...parts.flat()]);
    for (const pair of parts) for (const key of pair) link(key, [...pair, ...whole]);
  }
  return new Map([...related].map(([key, others]) => [key, [...others]]));
}
