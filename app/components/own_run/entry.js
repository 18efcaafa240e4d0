// The player of a recorded step: which derivatives are right stands on the nodes and beside every leaf.

class RunPlayer extends Player {
  parts() {
    return { formula: new CheckBar(), inputs: new Gradients(this), inspector: new Facts(this) };
  }

  get readable() { return this.data.present ? 0.95 : 0.78; }

  update(data, send) {
    const asked = this.asked;
    super.update(data, send);
    if (asked === undefined || asked === (data.opened?.node ?? null)) this.asked = undefined;
    if (data.opened && this.selected === null && this.asked === undefined) this.selected = data.opened.node;
    this.paint(false);
  }

  first() {
    if (!this.last) return super.first();
    const { node, phase } = this.last;
    const same = this.data.steps.findIndex((step) => step.node === node && step.phase === phase);
    return same >= 0 ? same : 0;
  }

  rebuild() {
    super.rebuild();
    this.last = undefined;
    for (const node of this.model.nodes.values()) if (node.verdict) this.stage.nodes.get(node.id).element.append(nodeVerdict(node));
  }

  select(id) {
    const same = id === this.selected;
    super.select(id);
    if (same) return;
    this.asked = id;
    this.send("change", { name: "look", value: id });
  }

  toggle(group) {
    const { node, phase } = this.model.steps[this.step];
    this.last = { node, phase };
    this.send("change", { name: "toggle", value: group });
  }
}

export default mounting(RunPlayer);
