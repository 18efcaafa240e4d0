// Beside the source: what is fetched, and every other order of the same loop, one row each; a click runs it.

class Tables {
  constructor(choose) {
    this.choose = choose;
    this.traffic = html("table", { class: "traffic" });
    this.orders = html("table", { class: "orders" });
    this.flow = html("table", { class: "flow" });
    this.note = html("p", { class: "note" });
    this.element = html("section", { class: "costs", "aria-label": "what it costs" }, this.traffic, this.flow, this.orders, this.note);
  }

  build(data) {
    this.data = data;
    this.result = undefined;
    this.flow.hidden = !walksAlike(data);
    this.orders.hidden = !data.rounded && !data.nests.length;
    if (data.nests.length) this.nests(data);
    this.note.textContent = data.nests.length ? "Innermost stride: how far the last loop moves in a, b, out at each step. Loads: elements fetched where a register keeps the last one of each."
      : data.rounded ? "Click a result: the loop runs in that order, every partial result rounded to that format." : "";
  }

  // How many lines were fetched until this step.
  paint({ fetched, total }, step, last) {
    const names = Object.keys(fetched);
    const { line, cache, distinct } = this.data;
    const sum = names.reduce((all, name) => all + distinct[name], 0);
    this.traffic.replaceChildren(
      html("caption", {}, `Cache: ${cache} lines of ${line} ${line === 1 ? "element" : "elements"}`),
      html("thead", {}, tableRow("th", ["lines", ...names, "all"])),
      html("tbody", {}, tableRow("td", [step === last ? "fetched in all" : "fetched so far", ...names.map((name) => fetched[name]), total]),
        tableRow("td", ["different ones", ...names.map((name) => distinct[name]), sum])));
    this.traffic.dataset.total = total;
  }

  nests({ nests, chosen }) {
    const least = Math.min(...nests.map(({ total }) => total));
    const rows = nests.map(({ order, inner, loads, fetched, total }) => html("tr", { class: order === chosen.nest ? "chosen" : undefined, "data-order": order, onclick: () => this.choose({ nest: order }) },
      html("th", { scope: "row" }, html("button", { type: "button", "aria-pressed": String(order === chosen.nest) }, order)),
      html("td", {}, Object.values(inner).join(", ")), html("td", {}, Object.values(loads).reduce((all, one) => all + one, 0)),
      html("td", {}, Object.values(fetched).join(", ")), html("td", { class: total === least ? "best" : undefined }, html("b", {}, total), bar(total / Math.max(...nests.map((nest) => nest.total))))));
    this.orders.replaceChildren(html("thead", {}, tableRow("th", ["loops", "innermost stride", "loads", "lines: a, b, out", "all lines"])), html("tbody", {}, ...rows));
  }

  // The element of the result that is looked at.
  look(output) {
    if (walksAlike(this.data)) this.positions(output);
    if (this.data.rounded && output !== this.result) this.roundings(output);
  }

  // Its index, the index that it reads in each operand, and the position of each.
  positions(output) {
    const { tensors } = this.data;
    const index = indexAt(tensors.at(-1).shape, output);
    const rows = [tensors.at(-1), ...tensors.slice(0, -1)].map(({ name, offset, expanded, elements, shape }) => {
      const slot = positionOf({ offset, strides: expanded }, index);
      const own = indexAt(shape, elements.indexOf(slot));
      const terms = index.map((i, d) => `${i}·${expanded[d]}`);
      return html("tr", {}, html("th", { scope: "row" }, name), html("td", {}, `[${own.join(", ")}]`), html("td", {}, [offset, ...terms].join(" + ")), html("td", { class: "value" }, slot));
    });
    this.flow.replaceChildren(html("caption", {}, `out[${index.join(", ")}]`), html("thead", {}, tableRow("th", ["tensor", "its index", "offset + index · stride", "slot"])), html("tbody", {}, ...rows));
  }

  // Its exact value, and what every order makes of it.
  roundings(result) {
    const { rounded, chosen } = this.data;
    this.result = result;
    const precisions = [...new Set(rounded.orders.map(({ precision }) => precision))];
    const names = [...new Set(rounded.orders.map(({ order }) => order))];
    const of = (order, precision) => rounded.orders.find((one) => one.order === order && one.precision === precision);
    const rows = names.map((order) => html("tr", { "data-order": order }, html("th", { scope: "row" }, order), ...precisions.flatMap((precision) => {
      const [value, error, bound] = ["results", "errors", "bounds"].map((name) => decode(of(order, precision)[name][result]));
      const here = order === chosen.order && precision === chosen.precision;
      const button = html("button", { type: "button", "aria-pressed": String(here), onclick: () => this.choose({ order, precision }), "aria-label": `${order} in ${precision}: ${format(value, 9)}` }, format(value, precision === "float16" ? 6 : 9));
      return [html("td", { class: here ? "chosen" : undefined }, button), html("td", { class: error ? "off" : undefined }, format(error, 2)), html("td", {}, Number.isFinite(bound) ? `≤ ${format(bound, 2)}` : "no bound")];
    })));
    const heads = html("tr", {}, html("th", { scope: "col" }, "order"), ...precisions.flatMap((precision) => [precision, "off by", "bound"].map((text) => html("th", { scope: "col" }, text))));
    this.orders.replaceChildren(html("caption", {}, "Exact: ", html("b", {}, format(decode(rounded.exact[result]), 12))), html("thead", {}, heads), html("tbody", {}, ...rows));
  }
}

const walksAlike = ({ operation }) => operation === "map" || operation === "zip"; // every tensor by the result's own index
const tableRow = (kind, texts) => html("tr", {}, ...texts.map((text, k) => html(k ? kind : "th", { scope: kind === "th" ? "col" : k ? undefined : "row" }, text)));
const bar = (share) => html("i", { class: "bar", style: `--share: ${(100 * share).toFixed(0)}%`, "aria-hidden": "true" });
