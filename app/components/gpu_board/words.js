// What is looked at, in words: the step, a cell and who touched it, a thread and what it touched.

const MOST_NAMED = 12;
const VERBS = { read: ["reads", "read"], write: ["writes", "write"], atomic: ["adds to", "add to"] };

class Words {
  constructor(launch) { this.launch = launch; }

  step(number) {
    const step = this.launch.steps[number];
    if (!step) return "This block touches no memory: all its threads are beyond the end.";
    const { kind, threads, array, warp } = step;
    if (kind === "barrier") return `Barrier: ${many(threads.length, "thread")} wait here until all have come. What was written before it can be read after it.`;
    if (kind === "fault") return step.warp === ALL_WARPS ? `${many(threads.length, "thread")} wait at this barrier, and the other ${this.launch.threads - threads.length} never come.` : `Thread ${threads[0]} goes out of bounds here, and the launch stops.`;
    const { name } = this.launch.arrays[array];
    const idle = Math.min(WARP, this.launch.threads - WARP * warp) - threads.length;
    return `Warp ${warp}: ${many(threads.length, "thread")} ${VERBS[kind][threads.length === 1 ? 0 : 1]} ${name}${this.cost(step)}${idle ? `; ${idle} of its threads ${idle === 1 ? "is" : "are"} idle` : ""}.`;
  }

  cost({ kind, array, elements, segments, sectors, passes }) {
    const { space, itemsize } = this.launch.arrays[array];
    const different = new Set(elements).size;
    if (kind === "atomic") return passes > 1 ? `: ${passes} turns, as so many threads add to one element` : ": 1 turn, no two threads add to one element";
    if (space === "global") return `: ${many(segments, "segment")} of 128 bytes, ${many(sectors, "sector")} of 32, ${format((100 * different * itemsize) / (sectors * SECTOR), 3)} % of the bytes moved are used`;
    if (space !== "shared") return "";
    if (passes > 1) return `: ${passes} passes, as ${passes} different words lie in one bank`;
    return elements.length > different ? `: 1 pass, and ${many(different, "word")} for all of them` : ": 1 pass, no two words in one bank";
  }

  of(key) {
    if (key.startsWith("owner")) return ownerSaid(key);
    const touches = this.launch.of(key);
    if (key.startsWith("thread")) {
      const thread = key.split(" ")[1];
      if (!touches.length) return `Thread ${thread} touches no memory.`;
      const said = touches.slice(0, MOST_NAMED).map(({ step, array, element }) => `${VERBS[this.launch.steps[step].kind][0]} ${this.name(array, element)} (step ${step + 1})`);
      return `Thread ${thread} ${said.join(", ")}${more(touches)}`;
    }
    const [, array, element] = key.split(" ").map(Number);
    if (!touches.length) return `${this.name(array, element)}: no thread of this block touches it.`;
    const said = touches.slice(0, MOST_NAMED).map(({ step, thread }) => `thread ${thread} ${VERBS[this.launch.steps[step].kind][0]} it (step ${step + 1})`);
    const bank = this.launch.arrays[array].space === "shared" ? `, bank ${element % WARP}` : "";
    return `${this.name(array, element)}${bank}: ${said.join(", ")}${more(touches)}`;
  }

  name(array, element) {
    const { name, shape } = this.launch.arrays[array];
    return `${name}[${indexAt(shape, element).join(", ")}]`;
  }
}

const many = (number, noun) => `${number} ${noun}${number === 1 ? "" : "s"}`;
const more = (touches) => (touches.length > MOST_NAMED ? `, and ${touches.length - MOST_NAMED} times more.` : ".");
