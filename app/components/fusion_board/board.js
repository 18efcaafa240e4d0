// The whole: passes on top, then program, graph and code side by side, the timelines below.

const TURNS = { ArrowRight: 1, ArrowDown: 1, PageDown: 1, ArrowLeft: -1, ArrowUp: -1, PageUp: -1 };

class Board {
  constructor(root) {
    this.root = root;
    this.channel = new ChangeChannel((change) => this.send("change", change));
    this.passes = html("div", { class: "passes", role: "tablist", "aria-label": "passes of the compiler" });
    this.said = html("p", { class: "said" });
    this.program = html("ol", { class: "program", "aria-label": "program" });
    this.graph = new StageGraph();
    this.code = new CodePanel((name, value) => this.chooseCode(name, value));
    this.timeline = new Timeline((scale) => this.chooseScale(scale));
    this.facts = html("p", { class: "facts" });
    this.legend = html("p", { class: "legend" }, html("span", { class: "memory" }, "through memory"), html("span", { class: "register" }, "in registers"), html("span", { class: "gradient" }, "backward, update"), this.graph.fitting);
    const left = html("section", { class: "left" }, this.program, this.graph.element, this.legend);
    root.replaceChildren(html("div", { class: "fusion" },
      html("header", {}, this.passes, this.said), left, this.code.element,
      html("footer", {}, this.timeline.element, html("div", { class: "foot" }, this.timeline.scales, this.facts))));
    this.links = new NodeLinks(root, (nodes) => this.look(nodes));
    this.stopListening = listenAnywhere(root, (event) => this.key(event));
  }

  update(data, send) {
    const signature = JSON.stringify([data.nodes, data.program]);
    Object.assign(this, { data, send });
    this.root.toggleAttribute("data-veiled", data.veiled);
    this.channel.answered();
    if (signature !== this.signature) {
      this.signature = signature;
      this.graph.build(data);
      this.program.replaceChildren(...data.program.map((text, index) => this.line(text, index + 1)));
      this.legend.querySelector(".gradient").hidden = data.nodes.every(({ kind }) => kind !== "backward");
      this.stage = data.stage; // from here on it is stepped here, and a late answer must not turn it back
    }
    this.which = data.which;
    this.scale = data.scale;
    this.code.show(data);
    this.timeline.show(data.lanes, data.scale, data.veiled);
    this.show(this.stage);
    this.links.forget();
  }

  line(text, number) {
    const nodes = this.data.nodes.filter(({ lines }) => lines.includes(number)).map(({ id }) => id);
    return html("li", nodes.length ? { "data-nodes": nodes.join(" ") } : {}, text || " ");
  }

  show(stage) {
    const { stages, veiled } = this.data;
    this.stage = clamp(stage, 0, stages.length - 1);
    const at = stages[this.stage];
    this.passes.replaceChildren(...stages.map(({ title, removed, changed }, index) => {
      const marks = removed.length ? `−${removed.length}` : changed.length ? `↻${changed.length}` : "";
      return html("button", { type: "button", role: "tab", "aria-selected": String(index === this.stage), onclick: () => this.go(index) },
        html("i", {}, String(index + 1)), title, marks ? html("small", {}, marks) : "");
    }));
    const fused = this.stage === stages.length - 1;
    this.said.textContent = fused && veiled ? "Commit to a prediction above, or skip it, to see what fusion gains." : at.said;
    this.root.dataset.stage = at.name;
    this.graph.show(fused && veiled ? stages[this.stage - 1] : at, fused && !veiled);
  }

  go(stage) {
    this.show(stage);
    this.channel.offer({ name: "stage", value: this.stage, final: true });
  }

  chooseCode(name, value) {
    if (name === "code") this.code.wait(value);
    else this.code.wait(this.which);
    this.channel.offer({ name, value, final: true });
  }

  chooseScale(scale) {
    this.timeline.show(this.data.lanes, scale, this.data.veiled);
    this.channel.offer({ name: "scale", value: scale, final: true });
  }

  // What is looked at, in words: a node, or the group that all of it is in.
  look(nodes) {
    const known = (nodes ?? []).map((id) => this.graph.nodes?.get(id)).filter(Boolean);
    const group = this.data?.groups.find((each) => String(each.nodes) === String(nodes));
    const hint = "Point at a node, a line or a block: the others light up. A click keeps it.";
    this.facts.textContent = known.length === 1 ? known[0].facts : group ? group.facts : known.length ? `${known.length} nodes` : hint;
    this.facts.classList.toggle("hint", !known.length);
  }

  key(event) {
    const home = event.key === "Home" || event.key.toLowerCase() === "r";
    if (!home && !TURNS[event.key]) return false;
    this.go(home ? 0 : this.stage + TURNS[event.key]);
    return true;
  }

  destroy() {
    this.stopListening();
  }
}

export default mounting(Board);
