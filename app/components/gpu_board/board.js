// The whole: the slider on top, what was found wrong, source and threads, then memory and costs.

// A cell lights the threads that touched it, a thread its cells.
class Touched extends Links {
  nodes(key) { return this.launch.partners(key).flatMap((one) => super.nodes(one)); }
}

class Board {
  constructor(root) {
    this.root = root;
    this.channel = new ChangeChannel((change) => this.send("change", change));
    this.links = new Touched((cell) => this.look(cell));
    this.stepper = new Stepper((step, settled) => this.choose(step, settled), "step", "step of the block");
    this.found = html("div", { class: "found", role: "status" });
    this.source = new Source();
    this.costs = new Costs((value) => this.channel.offer({ name: "sweep", value, final: true }));
    this.threads = new Threads(this.links, (block) => this.visit(block, 0));
    this.memory = new Memory(this.links);
    this.owners = new Owners(this.links, (block) => this.visit(block, 0));
    this.timeline = new Timeline((step) => this.choose(step, true));
    this.said = html("p", { class: "terms", "aria-live": "polite" });
    root.replaceChildren(html("div", { class: "board loop gpu" },
      html("section", { class: "alignment", "aria-label": "steps" }, this.stepper.transport, this.timeline.element), this.found,
      html("footer", {}, this.said), html("div", { class: "upper" }, this.source.element, this.threads.element), this.memory.element, this.owners.element, this.costs.element));
    this.stopListening = listenAnywhere(root, (event, target) => this.stepper.present(event, target));
  }

  update(data, send) {
    const signature = JSON.stringify([data.source, data.steps, data.arrays.map(({ values }) => values)]);
    const same = signature === this.signature;
    Object.assign(this, { data, send, signature });
    this.root.toggleAttribute("data-veiled", data.veiled);
    this.channel.answered();
    if (!same) this.rebuild();
    this.timeline.build(this.launch, this.root.dataset.theme);
    this.source.build(data);
    this.costs.build(data);
    this.warn(data);
    this.show(same ? this.step : data.step);
  }

  rebuild() {
    if (this.links.pinned) this.links.pin();
    this.links.hovered = undefined;
    this.links.light();
    this.launch = new Launch(this.data);
    this.links.launch = this.launch;
    this.words = new Words(this.launch);
    this.stepper.limit(this.launch.last);
    this.threads.build(this.data, this.launch);
    this.memory.build(this.data.arrays);
    this.owners.build(this.data);
  }

  warn({ fault, verdict, block }) {
    this.found.hidden = !fault && !verdict;
    this.found.classList.toggle("wrong", Boolean(fault));
    if (!fault) return this.found.replaceChildren(verdict);
    const more = fault.more ? ` And ${fault.more} more like it.` : "";
    const where = `step ${fault.step + 1} of block ${fault.block}`;
    return this.found.replaceChildren(html("b", {}, `Found: ${fault.kind}. `), html("code", {}, fault.message), more, html("p", {}, fault.why),
      html("button", { type: "button", onclick: () => (fault.block === block ? this.choose(fault.step, true) : this.visit(fault.block, fault.step)) }, `Show ${where}`));
  }

  visit(block, step) { this.channel.offer({ name: "block", value: { block, step }, final: true }); }

  // What is pinned gives way to a step that is chosen.
  choose(step, settled) {
    if (this.links.pinned) this.links.pin();
    this.show(step);
    if (settled) this.channel.offer({ name: "step", value: { step: this.step }, final: true });
  }

  show(step) {
    const { fault, block } = this.data;
    this.step = clamp(step, 0, this.launch.last);
    const now = this.launch.steps[this.step];
    const where = now ? `step ${this.step + 1} of ${this.launch.last + 1}, after ${now.interval} barrier${now.interval === 1 ? "" : "s"}` : "nothing to step through";
    this.stepper.stand(this.step, where);
    this.root.dataset.step = this.step;
    this.source.light(now?.line);
    this.timeline.paint(this.step);
    this.memory.paint(this.launch, this.step);
    this.threads.paint(now, fault?.block === block && fault.steps.includes(this.step) ? fault : undefined);
    this.look(this.links.hovered ?? this.links.pinned);
  }

  look(cell) {
    if (this.words) this.said.textContent = cell ? this.words.of(cell.key) : this.words.step(this.step);
  }

  destroy() {
    this.stepper.pause();
    this.stopListening();
  }
}

export default mounting(Board);
