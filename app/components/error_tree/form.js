// One form of the value: its verdict, and its operators as an outline, the last one first.

const INDENT = 0.95; // em a level; deep trees are indented less, so that they fit
const DEEPEST = 9;

// A share of the format's bits, and how many they are.
function bar(name, bits, precision) {
  const share = clamp(bits / precision, 0, 1);
  return html("span", { class: `bar ${name}`, role: "img", "aria-label": `${format(bits, 3)} of ${precision} bits` },
    html("span", {}, html("i", { style: `width: ${(100 * share).toFixed(1)}%` })), html("b", {}, bits < 0.05 ? "0" : format(Number(bits.toFixed(1)))));
}

class Form {
  constructor(tree, form) {
    this.tree = tree;
    this.form = form;
    const title = html("h3", {}, form.title);
    const verdict = html("p", { class: form.guilty ? "verdict bad" : "verdict good" }, form.verdict);
    const figures = html("p", { class: "figures" }, html("span", {}, "found ", html("output", {}, form.found)), html("span", {}, "exact ", html("output", {}, form.exact)));
    const step = INDENT * Math.min(1, DEEPEST / Math.max(...form.nodes.map(({ depth }) => depth), 1));
    this.rows = form.nodes.map((node) => this.row(node, step));
    const head = html("div", { class: "head", "aria-hidden": "true" }, html("span", {}, "part"), html("span", { class: "number" }, "found"), html("span", {}, "bits lost here"), html("span", {}, "so far"));
    this.detail = html("p", { class: "detail", "aria-live": "polite" });
    this.element = html("section", { class: "form", "aria-label": form.title }, html("header", {}, title, verdict, figures), head,
      html("div", { class: "rows", role: "tree", "aria-label": `operators of the ${form.title}` }, ...this.rows), this.detail);
    this.select(form.nodes.find(({ guilty }) => guilty) ?? form.nodes[0]);
  }

  row(node, step) {
    const { precision } = this.form;
    const label = html("span", { class: "part", style: `padding-left: ${(node.depth * step).toFixed(2)}em` },
      html("code", {}, node.text), node.again ? html("small", {}, "above") : "", node.guilty ? html("small", { class: "guilty" }, "◀ lost here") : "");
    const operator = node.kind === "apply" && !node.again;
    return html("div", { class: `row ${node.kind}`, role: "treeitem", tabindex: 0, "aria-level": node.depth + 1, "data-node": node.index, "data-guilty": node.guilty,
      onclick: () => this.select(node), onfocus: () => this.select(node), onkeydown: (event) => this.key(event),
      onpointerenter: () => this.tree.light(node.index), onpointerleave: () => this.tree.light(undefined) },
      label, html("span", { class: "number" }, node.again ? "" : node.found),
      operator ? bar("here", node.here, precision) : html("span"), operator ? bar("total", node.lost, precision) : html("span"));
  }

  select(node) {
    this.form.nodes.forEach((each, at) => this.rows[at].setAttribute("aria-selected", String(each === node)));
    this.detail.replaceChildren(html("code", {}, node.text), ` ${node.detail}`);
  }

  key(event) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    this.rows[this.rows.indexOf(event.currentTarget) + step]?.focus();
  }
}
