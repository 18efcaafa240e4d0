// The forms side by side under the inputs; a part that several of them share lights up in all.

class Tree {
  constructor(root) {
    this.root = root;
    this.handles = new Map();
    this.channel = new ChangeChannel((change) => this.send("change", change));
    this.inputs = html("div", { class: "inputs" });
    this.forms = html("div", { class: "forms" });
    const veil = html("p", { class: "veil" }, "Commit to a prediction above, or skip it, to see where the digits go.");
    root.replaceChildren(html("div", { class: "tree" }, this.inputs, this.forms, veil));
  }

  update(data, send) {
    Object.assign(this, { data, send });
    this.root.toggleAttribute("data-veiled", data.veiled);
    this.channel.answered();
    this.buildInputs();
    const forms = JSON.stringify(data.forms);
    if (forms !== this.drawn) {
      this.drawn = forms;
      this.forms.replaceChildren(...data.forms.map((form) => new Form(this, form).element));
    }
  }

  buildInputs() {
    const { inputs } = this.data;
    const names = inputs.map(({ name }) => name);
    if (names.join() !== [...this.handles.keys()].join()) {
      this.handles = new Map(names.map((name) => [name, new Handle(name, (value, final) => this.channel.offer({ name, value, final }))]));
      this.inputs.replaceChildren(...names.map((name) => html("label", { class: "field" }, html("code", {}, name), this.handles.get(name).element)));
    }
    for (const { name, value } of inputs) this.handles.get(name).set(value);
  }

  light(index) {
    for (const row of this.forms.querySelectorAll(".row")) row.classList.toggle("lit", index !== undefined && row.dataset.node === String(index));
  }
}

export default mounting(Tree);
