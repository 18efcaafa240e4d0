// The player of tensors: nodes with shapes and figures, memory by step, and a lens on one node.

class TensorPlayer extends Player {
  parts() {
    this.timeline = new Timeline(this);
    this.lens = new Lens(this);
    return { formula: new StepBar(), inputs: new Keeping(this), inspector: new Facts(this) };
  }

  get readable() { return this.data.present ? 0.95 : 0.82; }

  more() { return [this.timeline.element, this.lens.tabs, this.lens.element]; }

  update(data, send) {
    const asked = this.asked;
    this.root.toggleAttribute("data-veiled", Boolean(data.veiled));
    super.update(data, send);
    if (asked === undefined || asked === (data.opened?.node ?? null)) this.asked = this.chosenZoom = undefined;
    this.timeline.build(data);
    if (data.opened && this.selected === null && this.asked === undefined && this.model.nodes.has(data.opened.node)) this.selected = data.opened.node;
    this.paint(false);
  }

  // A drawing that was folded or unfolded goes on where it was: at the same node, or as far along.
  first() {
    if (!this.last) return super.first();
    const { node, phase, share } = this.last;
    const same = this.data.steps.findIndex((step) => step.node === node && step.phase === phase);
    return same >= 0 ? same : Math.round(share * (this.data.steps.length - 1));
  }

  rebuild() {
    super.rebuild();
    this.last = undefined;
  }

  paint(moving) {
    super.paint(moving);
    this.timeline.paint(this.step);
    const { opened, zoom } = this.data;
    this.lens.show(opened?.node === this.selected ? opened : null, this.selected === null ? "graph" : this.chosenZoom ?? zoom);
  }

  select(id) {
    if (id === null) this.chosenZoom = "graph";
    const same = id === this.selected;
    super.select(id);
    if (!same) this.ask(id, this.chosenZoom ?? this.data.zoom);
  }

  // Looks at the chosen node, or at that of the step, in one of the three zooms.
  look(zoom) {
    this.chosenZoom = zoom;
    if (zoom !== "graph" && this.selected === null) this.selected = this.model.steps[this.step].node;
    this.paint(false);
    this.ask(this.selected, zoom);
  }

  ask(node, zoom) {
    this.asked = node;
    this.send("change", { name: "look", value: { node, zoom } });
  }

  toggle(group) {
    const { node, phase } = this.model.steps[this.step];
    this.last = { node, phase, share: this.step / Math.max(1, this.model.steps.length - 1) };
    this.send("change", { name: "toggle", value: group });
  }
}

export default mounting(TensorPlayer);
