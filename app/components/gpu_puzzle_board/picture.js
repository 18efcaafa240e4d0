// One launch: which one, a slider through the steps of a block, its threads, and the memory they touch.

// A cell lights the threads that touched it, a thread its cells.
class Touched extends Links {
  nodes(key) { return this.launch.partners(key).flatMap((one) => super.nodes(one)); }
}

class Told extends Words {
  constructor(launch, fault) {
    super(launch);
    this.fault = fault;
  }

  step(number) {
    const step = this.launch.steps[number];
    if (!step) return this.launch.written ? "No thread of this block touches memory." : "There is nothing to step through yet.";
    const { kind, threads, array, elements, values } = step;
    if (kind === "fault") return `${sentence(this.fault?.message ?? "")} The launch stops.`;
    if (kind === "barrier") return `Barrier: ${many(threads.length, "thread")} wait here until all have come. What was written before it can be read after it.`;
    const verb = VERBS[kind][threads.length === 1 ? 0 : 1];
    if (threads.length === 1) return `Thread ${threads[0]} ${verb} ${this.name(array, elements[0])}: ${format(values[0])}.`;
    const touched = [...new Set(elements)].map((element) => this.name(array, element));
    return `${threads.length} threads ${verb} ${touched.length === 1 ? `the same ${touched[0]}` : `${touched.slice(0, MOST_NAMED).join(", ")}${touched.length > MOST_NAMED ? " …" : ""}`}.`;
  }

  name(array, element) {
    const { name, shape } = this.launch.arrays[array];
    return `${name}[${indexAt(shape, element).join(", ")}]`;
  }

  of(key) { return super.of(key).replace(/, bank \d+/, ""); }
}

const STATES = { passed: "tick", failed: "cross" };

class Picture {
  // `offer(name, value)` hears what was chosen, `light(line)` which line the step is on.
  constructor(offer, light) {
    Object.assign(this, { offer, light });
    this.links = new Touched((cell) => this.look(cell));
    this.stepper = new Stepper((step, settled) => this.choose(step, settled), "step", "step of the block");
    this.launches = html("div", { class: "launches", role: "group", "aria-label": "launches" });
    this.constants = html("p", { class: "constants" });
    this.timeline = new Timeline((step) => this.choose(step, true));
    this.said = html("p", { class: "terms", "aria-live": "polite" });
    this.blocks = new Blocks(this.links, (block) => this.offer("block", { block, step: 0 }));
    this.arrays = new Arrays(this.links);
    this.element = html("section", { class: "picture", "aria-label": "one launch" }, this.launches, this.constants, this.stepper.transport, this.timeline.element, this.said, this.blocks.element, this.arrays.element);
  }

  update(data, theme, stale) {
    const signature = JSON.stringify([data.steps, data.arrays, data.target, data.grid, data.shape, data.block]);
    const same = signature === this.signature;
    this.element.classList.toggle("stale", stale);
    if (stale) return;
    Object.assign(this, { data, signature });
    if (!same) this.rebuild();
    this.launch.written = !["empty", "unreadable"].includes(data.verdict.state);
    this.told = new Told(this.launch, data.fault);
    this.blocks.build(data);
    this.arrays.build(data);
    this.timeline.build(this.launch, theme);
    this.showLaunches();
    this.show(same ? this.step : data.step);
  }

  rebuild() {
    this.stepper.pause();
    if (this.links.pinned) this.links.pin();
    this.links.hovered = undefined;
    this.launch = new Launch(this.data);
    this.links.launch = this.launch;
    this.links.light();
    this.stepper.limit(this.launch.last);
  }

  showLaunches() {
    const { launches, launch, unseen, constants, seed } = this.data;
    this.launches.replaceChildren(...launches.map(({ number, state, label }) => html("button", { type: "button", class: `launch ${state}`, "data-launch": number, "aria-pressed": String(number === launch), onclick: () => this.offer("launch", { launch: number }) },
      ...(STATES[state] ? [icon(STATES[state])] : []), label)), html("small", {}, unseen ? `and ${unseen} that are not shown` : ""));
    this.constants.replaceChildren(...Object.entries(constants).map(([name, value]) => html("code", {}, `${name} = ${value}`)),
      html("button", { type: "button", class: "quiet", title: `numbers of seed ${seed}`, onclick: () => this.offer("inputs", {}) }, "Other numbers"));
  }

  // What is pinned gives way to a step that is chosen.
  choose(step, settled) {
    if (this.links.pinned) this.links.pin();
    this.show(step);
    if (settled) this.offer("step", { block: this.data.block, step: this.step });
  }

  show(step) {
    const { fault, block } = this.data;
    this.step = clamp(step, 0, this.launch.last);
    const now = this.launch.steps[this.step];
    this.stepper.stand(this.step, now ? `step ${this.step + 1} of ${this.launch.last + 1}` : "nothing to step through");
    this.element.dataset.step = this.step;
    this.timeline.paint(this.step);
    this.arrays.paint(this.launch, this.step);
    this.blocks.paint(now, fault?.block === block && fault.steps.includes(this.step) ? fault : undefined);
    this.element.classList.toggle("nothing", !now);
    this.light(now?.line);
    this.look(this.links.hovered ?? this.links.pinned);
  }

  look(cell) {
    if (this.told) this.said.textContent = cell ? this.told.of(cell.key) : this.told.step(this.step);
  }
}
