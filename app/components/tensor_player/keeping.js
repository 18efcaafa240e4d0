// What the backward pass still needs at this step, in bytes; and the gradients that have arrived at parameters.

const bytes = (count) => (count < 1024 ? `${count} B` : count < 2 ** 20 ? `${format(count / 1024, 3)} KiB` : `${format(count / 2 ** 20, 3)} MiB`);

class Keeping {
  constructor(player) {
    this.player = player;
    this.total = html("p", { class: "total" });
    this.list = html("ul", { class: "saved" });
    this.rows = html("tbody");
    this.element = html("div", { class: "inputs" },
      html("h3", {}, "Kept for the backward pass"), this.total, this.list,
      html("table", {}, html("caption", { class: "hidden" }, "parameters and their gradients"),
        html("thead", {}, html("tr", {}, ...["parameter", "shape", "|∂L/∂·|", "torch"].map((name) => html("th", { scope: "col" }, name)))), this.rows));
  }

  build(model) {
    const { memory } = this.player.data;
    this.entries = memory.saved.map((saved) => {
      const state = html("span", { class: "state" });
      const element = html("li", { "data-node": saved.node, class: saved.input ? "entry there" : "entry", ...this.linked(saved.node) },
        html("span", { class: "what" }, inline(parseMath(saved.math)), ` ${saved.shape}`), html("span", { class: "bytes" }, bytes(saved.bytes)), state);
      return { saved, element, state };
    });
    this.list.replaceChildren(...this.entries.map(({ element }) => element));
    this.buildParameters(model);
  }

  buildParameters(model) {
    this.parameters = model.inputs.map((input) => {
      const [norm, mark] = [html("td", { class: "figure", "data-input": input.name }), html("td", { class: "figure" })];
      const row = html("tr", { "data-node": input.node, ...this.linked(input.node) }, html("th", { scope: "row" }, input.name), html("td", {}, input.shape || "one number"), norm, mark);
      return { input, row, norm, mark };
    });
    this.rows.replaceChildren(...this.parameters.map(({ row }) => row));
  }

  linked(node) {
    return { onpointerenter: () => this.player.hover(node), onpointerleave: () => this.player.hover(null), onclick: () => this.player.select(node) };
  }

  // Called where the player of numbers takes over new values of its inputs.
  setValues(model) {
    this.buildParameters(model);
  }

  paint(model, index) {
    const { memory } = this.player.data;
    const now = model.steps[index].node;
    const backward = model.steps[index].phase === "backward" && model.steps[index].kind !== "seed";
    let count = 0;
    for (const { saved, element, state } of this.entries) {
      const alive = saved.born <= index && (saved.dies === null || index <= saved.dies);
      const read = backward && saved.readers.includes(now);
      element.hidden = !alive;
      count += alive;
      element.classList.toggle("read", read);
      state.textContent = read ? (saved.dies === index ? "read, then freed" : "read") : saved.input ? "there anyway" : "";
    }
    const most = Math.max(...memory.kept);
    this.total.replaceChildren(html("b", {}, bytes(memory.kept[index])), ` in ${count} ${count === 1 ? "tensor" : "tensors"}, at most ${bytes(most)}; gradients `,
      html("b", { class: "gradients" }, bytes(memory.gradients[index])));
    this.total.dataset.kept = memory.kept[index];
    for (const { input, norm, mark } of this.parameters) this.paintParameter(index, input, norm, mark);
  }

  // The norm is that of the whole gradient: while parts of it are to come there is nothing to compare.
  paintParameter(index, input, norm, mark) {
    const shown = input.arrives !== null && index >= input.arrives;
    norm.textContent = shown ? format(decode(input.gradient)) : "·";
    norm.dataset.value = shown ? input.gradient : "";
    const known = shown && input.agrees !== null;
    mark.replaceChildren(...(known ? [html("span", { class: input.agrees ? "agrees" : "differs", role: "img", "aria-label": input.agrees ? "agrees" : "differs" }, icon(input.agrees ? "tick" : "cross"))] : ["·"]));
  }
}
