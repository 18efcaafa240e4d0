// What is known of the lines: right, or wrong with the step that shows it; and the score beside the reference's.

const NAMES = { "global reads": "reads of global memory", "global writes": "writes to global memory", "shared reads": "reads of shared memory", "shared writes": "writes to shared memory" };

class Report {
  // `visit()` shows the step that goes wrong.
  constructor(visit) {
    this.visit = visit;
    this.said = html("div", { class: "found", role: "status" });
    this.score = html("table", { class: "score" });
    this.element = html("div", { class: "report" }, this.said, this.score);
  }

  update(data, long) {
    const { verdict, fault, score, most } = data;
    const state = long ? "unreadable" : verdict.state;
    this.said.dataset.state = state;
    this.said.replaceChildren(...(long ? [`The kernel has more than ${most.toLocaleString("en")} characters: so many are not read.`] : this.words(state, verdict, fault)));
    this.table(score);
  }

  words(state, { passed, trials, line, message, hint }, fault) {
    if (state === "empty") return ["Every thread runs the same lines. What you write is run as you write it."];
    if (state === "unreadable") return [html("b", {}, `Line ${line}. `), `${sentence(message)} ${sentence(hint)}`.trim()];
    if (state === "accepted") return [html("b", {}, "Right. "), `${passed} of ${trials} launches give what is wanted, without a race and within the limits.`];
    if (!fault) return [html("b", {}, "Not yet: "), `${message}.`, " This launch goes right; another one does not."];
    const more = fault.more ? ` And ${fault.more} more like it.` : "";
    return [html("b", {}, `${sentence(fault.kind).slice(0, -1)}: `), `${fault.message}.${more}`, html("p", {}, fault.why),
      html("button", { type: "button", onclick: () => this.visit(fault) }, "Show the step")];
  }

  table(score) {
    this.score.hidden = !score.length;
    const limited = score.some(({ limit }) => limit !== null);
    const head = ["most of one thread", "yours", "reference", ...(limited ? ["at most"] : [])];
    this.score.replaceChildren(html("thead", {}, html("tr", {}, ...head.map((title) => html("th", { scope: "col" }, title)))),
      html("tbody", {}, ...score.map(({ name, yours, reference, limit }) => html("tr", { "data-score": name }, html("th", { scope: "row" }, NAMES[name]),
        html("td", { class: yours === null ? "" : limit !== null && yours > limit ? "over" : reference !== null && yours <= reference ? "good" : "" }, yours ?? "–"), html("td", {}, reference ?? "?"), ...(limited ? [html("td", {}, limit ?? "")] : [])))));
  }
}
