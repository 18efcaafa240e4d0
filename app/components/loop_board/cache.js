// A small cache: which lines it holds after so many steps, and how many were fetched until then.

class Cache {
  constructor({ line, cache, tensors }) {
    Object.assign(this, { line, lines: cache });
    this.names = tensors.map(({ name }) => name);
  }

  // The least recently used line gives way. A Map keeps its keys in the order in which they were set.
  after(steps, last) {
    const kept = new Map();
    const fetched = Object.fromEntries(this.names.map((name) => [name, 0]));
    for (const { reads, write } of steps.all.slice(0, last + 1)) {
      for (const { part, position } of write < 0 ? reads : [...reads, { part: RESULT, position: write }]) {
        const key = keyOf(part, Math.floor(position / this.line));
        if (!kept.delete(key)) fetched[part] += 1;
        kept.set(key, true);
        if (kept.size > this.lines) kept.delete(kept.keys().next().value);
      }
    }
    return { kept, fetched, total: Object.values(fetched).reduce((sum, one) => sum + one, 0) };
  }
}
