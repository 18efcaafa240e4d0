// The generated code beside the graph: loops for people, the kernel as it is compiled, LLVM, assembly.

const TEXTS = [["loops", "loops"], ["kernel", "kernel"], ["LLVM", "LLVM IR"], ["assembly", "assembly"]];
const MARKS = /\b(def|for|in|range|return|import|from)\b/;

class CodePanel {
  // `chosen(name, value)` hears another text ("code") or another kernel ("group").
  constructor(chosen) {
    this.chosen = chosen;
    const tab = ([which, title]) => html("button", { type: "button", role: "tab", "data-which": which, onclick: () => chosen("code", which) }, title);
    this.tabs = html("div", { class: "choice", role: "tablist", "aria-label": "code" }, ...TEXTS.map(tab));
    this.kernels = html("select", { "aria-label": "kernel", onchange: () => chosen("group", Number(this.kernels.value)) });
    this.said = html("p", { class: "note" });
    this.text = html("pre", { tabindex: 0 });
    this.element = html("section", { class: "code", "aria-label": "generated code" }, html("div", { class: "bar" }, this.tabs, this.kernels), this.said, this.text);
  }

  show({ code, which, group, groups, veiled }) {
    for (const tab of this.tabs.children) {
      tab.setAttribute("aria-selected", String(tab.dataset.which === which));
      tab.disabled = tab.dataset.which !== "loops" && group === null;
    }
    const kernels = groups.map((each, k) => ({ ...each, k })).filter(({ has_kernel: has }) => has);
    this.kernels.replaceChildren(...kernels.map(({ name, k }) => html("option", { value: k, selected: k === group }, `kernel ${k + 1}: ${name}`)));
    this.kernels.hidden = which === "loops" || kernels.length < 2;
    const signature = JSON.stringify([veiled, which, group, which === "loops" ? code.loops : code.kernel, code.machine?.which, code.machine?.group]);
    if (signature === this.signature) return;
    this.signature = signature;
    const { lines, said, start = 0 } = veiled ? { lines: [], said: "Shown once you have predicted, or skipped that." } : this.lines(code, which, group);
    this.said.textContent = said;
    this.text.replaceChildren(...lines);
    this.text.scrollTop = start ? this.text.children[start].offsetTop - this.text.children[0].offsetTop : 0;
  }

  lines({ loops, kernel, machine }, which, group) {
    if (which === "loops") {
      return { lines: linked(loops), said: "All of it as one function; loops of length 1 are left out." };
    }
    if (which === "kernel") return { lines: linked(kernel), said: "What is compiled: lengths, addresses and strides come as numbers p, so that all sizes share it." };
    if (machine?.which !== which || machine.group !== group) return { lines: [html("code", { class: "waiting" }, "compiling…")], said: "" };
    return { lines: machineLines(machine), said: machine.said, start: machine.start };
  }

  // Shows at once that what was asked for is on its way.
  wait(which) {
    if (which !== "LLVM" && which !== "assembly") return;
    this.signature = undefined;
    this.text.replaceChildren(html("code", { class: "waiting" }, "compiling…"));
  }
}

const linked = (lines) => lines.map(({ text, nodes }) => line(text, nodes.length ? { "data-nodes": nodes.join(" ") } : {}));

function machineLines({ lines, vectors, loops, start }) {
  const wide = new Set(vectors);
  return lines.map((text, k) => {
    const inside = loops.find(([first, last]) => first <= k && k <= last);
    const kind = [wide.has(k) && "vector", inside && "loop", inside?.[0] === k && "first", inside?.[1] === k && "last", inside?.[0] === start && "hot"];
    return html("code", { class: kind.filter(Boolean).join(" ") || undefined }, text || " ");
  });
}

// Words of the language a little stronger, remarks a little weaker.
function line(text, attributes = {}) {
  if (/^\s*(#|""")/.test(text)) return html("code", { ...attributes, class: "remark" }, text);
  return html("code", attributes, ...(text ? text.split(MARKS).filter(Boolean).map((part) => (MARKS.test(part) ? html("b", {}, part) : part)) : [" "]));
}
