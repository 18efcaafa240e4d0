// The recorded steps of a block, and what follows from them: who touched what, and what memory holds at any step.

const ALL_WARPS = null;
const WARP = 32;
const SECTOR = 32; // bytes that global memory moves together
const cellKey = (array, element) => `cell ${array} ${element}`;
const threadKey = (thread) => `thread ${thread}`;

class Launch {
  constructor({ steps, arrays, threads }) {
    this.steps = steps.map(([kind, line, warp, interval, array, who, elements, values, segments, sectors, passes]) =>
      ({ kind, line, warp, interval, array, threads: who, elements, values: values.map(decode), segments, sectors, passes }));
    this.arrays = arrays;
    this.threads = threads;
    this.touches = new Map(); // key of a cell or thread -> [{step, thread, array, element}]
    this.steps.forEach((step, number) => step.threads.forEach((thread, k) => {
      if (step.array === null) return;
      const touch = { step: number, thread, array: step.array, element: step.elements[k] };
      this.note(threadKey(thread), touch);
      this.note(cellKey(step.array, touch.element), touch);
    }));
    this.warps = Math.ceil(threads / WARP);
  }

  get last() { return Math.max(this.steps.length - 1, 0); }

  note(key, touch) {
    if (!this.touches.has(key)) this.touches.set(key, []);
    this.touches.get(key).push(touch);
  }

  of(key) { return this.touches.get(key) ?? []; }

  // Keys of the cells that a thread touched, or of the threads that touched a cell, the thing itself first.
  partners(key) {
    const other = key.startsWith("thread") ? ({ array, element }) => cellKey(array, element) : ({ thread }) => threadKey(thread);
    return [...new Set([key, ...this.of(key).map(other)])];
  }

  // array -> element -> its value, where the steps up to this one have stored any.
  stored(last) {
    const found = this.arrays.map(() => new Map());
    for (const { kind, array, elements, values } of this.steps.slice(0, last + 1)) {
      if (kind === "write" || kind === "atomic") elements.forEach((element, k) => found[array].set(element, values[k]));
    }
    return found;
  }

  // Where a word stands in the queue for its bank, for every element that a step touches in shared memory: 0 goes first.
  turns({ array, elements }) {
    const waiting = new Map();
    return new Map([...new Set(elements)].map((element) => {
      const turn = waiting.get(element % WARP) ?? 0;
      waiting.set(element % WARP, turn + 1);
      return [element, turn];
    }));
  }
}
