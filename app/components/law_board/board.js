// The whole: the law, the example that breaks it, the way there, its surroundings, and how often it fails.

class LawBoard {
  constructor(root) {
    this.root = root;
    this.channel = new ChangeChannel((change) => this.send("change", change));
    this.statement = html("div", { class: "statement" });
    this.sides = new Sides();
    this.path = new Path((back, settled) => this.channel.offer({ name: "back", value: back, final: settled }));
    this.picture = new Picture((zoom) => this.channel.offer({ name: "zoom", value: zoom, final: true }));
    this.near = new Near();
    const veil = html("p", { class: "veil" }, "Commit to a prediction above, or skip it, to see what became of the law.");
    this.columns = html("div", { class: "columns" }, this.path.element, this.picture.element);
    root.replaceChildren(html("div", { class: "law-board" }, this.statement, veil, this.sides.element, this.columns, this.near.element));
    this.stopListening = listenAnywhere(root, (event, target) => this.path.stepper.present(event, target));
  }

  update(data, send) {
    Object.assign(this, { data, send });
    this.root.toggleAttribute("data-veiled", data.veiled);
    this.root.toggleAttribute("data-exact", data.format === "exact");
    this.channel.answered();
    const { law, refuted } = data;
    const sign = data.veiled ? "?" : refuted ? { "=": "≠", "≠": "=", "≤": "≰", "<": "≮", "≥": "≱", ">": "≯" }[law.sign] : law.sign;
    this.statement.replaceChildren(html("code", {}, law.left), html("span", { class: `relation ${data.veiled ? "" : refuted ? "broken" : "held"}` }, sign), html("code", {}, law.right), html("small", {}, `in ${data.format}`),
      ...(law.lines.length ? [html("div", { class: "lines" }, ...law.lines.map((line) => html("code", {}, line)))] : []));
    this.sides.element.hidden = !data.example;
    this.sides.update(data);
    this.columns.hidden = data.path.length < 2 && !data.picture;
    this.path.update(data);
    this.picture.update(data, this.root);
    this.near.update(data);
  }

  destroy() {
    this.path.stepper.pause();
    this.picture.sizes.disconnect();
    this.stopListening();
  }
}

export default mounting(LawBoard);
