// The whole: the slider on top, source and costs below it, then the tensors above their storages, and what is looked at.

class Board {
  constructor(root) {
    this.root = root;
    this.channel = new ChangeChannel((change) => this.send("change", change));
    this.links = new StepLinks((cell) => this.look(cell));
    this.stepper = new Stepper((step, settled) => this.choose(step, settled), "step", "step of the loop");
    this.code = new Code();
    this.tables = new Tables((value) => this.channel.offer({ name: "order", value, final: true }));
    this.terms = new Terms();
    this.parts = Object.fromEntries(["a", "b", RESULT].map((name) => [name, new TensorPart(name, this.links)]));
    this.ways = html("div", { class: "ways", role: "group", "aria-label": "tensors and their storages" });
    root.replaceChildren(html("div", { class: "board loop" },
      html("section", { class: "alignment", "aria-label": "steps" }, this.stepper.transport), html("div", { class: "upper" }, this.code.element, this.tables.element),
      html("footer", {}, this.terms.element), this.ways));
    this.stopListening = listenAnywhere(root, (event, target) => this.stepper.present(event, target));
  }

  update(data, send) {
    const loop = JSON.stringify([data.source, data.steps.length, data.tensors.map(({ shape, strides }) => [shape, strides])]);
    const same = loop === this.loop;
    Object.assign(this, { data, send, loop, steps: new Steps(data), cache: new Cache(data) });
    this.links.steps = this.steps;
    this.root.toggleAttribute("data-veiled", data.veiled);
    this.channel.answered();
    this.stepper.limit(this.steps.last);
    this.code.build(data.source);
    this.tables.build(data);
    this.build();
    this.show(same ? this.step : data.step);
  }

  build() {
    const { data } = this;
    if (this.links.pinned) this.links.pin();
    for (const name of Object.keys(this.parts)) if (!data.tensors.some((tensor) => tensor.name === name)) this.drop(name);
    for (const tensor of data.tensors) this.parts[tensor.name].build(tensor, new Numbers(tensor.values), data.line);
    const [first, ...others] = data.tensors.map(({ name }) => this.parts[name].element);
    const [left, middle] = others.length === 1 ? [sign(data.sign), undefined] : [undefined, sign(data.sign)];
    this.ways.replaceChildren(...[left, first, middle, ...(middle ? [others[0]] : []), sign("="), others.at(-1)].filter(Boolean));
  }

  drop(name) {
    this.parts[name].clear();
    this.parts[name].slots.signature = undefined;
    this.links.drop(`${name}.slots`);
  }

  // What is pinned gives way to a step that is chosen.
  choose(step, settled) {
    if (this.links.pinned) this.links.pin();
    this.show(step);
    if (settled) this.channel.offer({ name: "step", value: { step: this.step }, final: true });
  }

  show(step) {
    this.step = clamp(step, 0, this.steps.last);
    const { line, output } = this.steps.all[this.step];
    this.stepper.stand(this.step, `step ${this.step + 1} of ${this.steps.last + 1}, out[${indexAt(this.data.tensors.at(-1).shape, output).join(", ")}]`);
    this.root.dataset.step = this.step;
    this.code.light(line);
    this.parts.out.paint(this.steps.stored(this.step));
    const cached = this.cache.after(this.steps, this.step);
    for (const { name } of this.data.tensors) this.parts[name].slots.tint(name, cached.kept);
    this.tables.paint(cached, this.step, this.steps.last);
    this.links.stand(this.steps, this.step);
  }

  // What is pointed at, pinned, or else done by the step.
  look(cell) {
    if (!cell || !this.data) return;
    this.terms.show(this.data, this.steps, this.links, cell);
    const [part, position] = cell.key.split(" ");
    this.tables.look(part === RESULT ? Number(position) : this.steps.all[this.step].output);
  }

  destroy() {
    this.stepper.pause();
    this.stopListening();
  }
}

const sign = (text) => html("span", { class: "sign", "aria-hidden": "true" }, text);

export default mounting(Board);
