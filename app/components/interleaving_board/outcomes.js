// How it can end: all interleavings from here by what they count, and what real runs of the same source lost.

class Outcomes {
  constructor() {
    this.title = html("h3");
    this.rows = html("div", { class: "ends" });
    this.element = html("section", { class: "outcomes" }, this.title, this.rows);
  }

  paint(walk, expected) {
    const whole = new Map(walk.nodes[0].outcomes), left = new Map(walk.node.outcomes);
    const total = sum(whole.values()), open = sum(left.values());
    this.title.replaceChildren("All interleavings", html("small", {}, walk.steps.length ? `${format(open)} of ${format(total)} are still possible` : `${format(total)} of them`));
    const most = Math.max(...whole.values());
    this.rows.replaceChildren(...[...whole].sort(([a], [b]) => b - a).map(([counted, ways]) => {
      const now = left.get(counted) ?? 0;
      const share = (count) => `${(100 * count) / most}%`;
      return html("div", { class: `end${counted === expected ? " right" : ""}`, role: "img", "aria-label": `${counted} counted: ${ways} interleavings, ${now} still possible` },
        html("span", {}, `${counted} of ${expected} counted`), html("div", { class: "ways" }, html("i", { class: "all", style: `width: ${share(ways)}` }), html("i", { style: `width: ${share(now)}` })), html("b", {}, format(now)));
    }));
  }
}

const sum = (values) => [...values].reduce((total, value) => total + value, 0);

class RealRuns {
  constructor() {
    this.rows = html("div", { class: "runs" });
    this.element = html("section", { class: "real" }, html("h3", {}, "The same source, for real", html("small", {}, "updates lost in each of many runs on two threads")), this.rows);
  }

  paint(real) {
    const most = Math.max(0.05, ...real.flatMap(({ lost }) => lost));
    this.rows.replaceChildren(...real.map(({ name, lost, chosen }) => {
      const ordered = [...lost].sort((a, b) => a - b);
      const dots = ordered.map((share) => html("i", { style: `left: ${(100 * share) / most}%` }));
      const median = ordered[Math.floor(ordered.length / 2)];
      const text = lost.length ? `${format(100 * median, 2)} % lost, median` : "not measured";
      return html("div", { class: `run${chosen ? " chosen" : ""}`, role: "img", "aria-label": `${name}: ${text} of ${lost.length} runs` },
        html("span", {}, name), html("div", { class: "strip" }, ...dots), html("b", {}, text));
    }), html("div", { class: "scale", "aria-hidden": "true" }, html("span"), html("div", {}, html("span", {}, "0"), html("span", {}, `${format(100 * most, 2)} %`)), html("b")));
  }
}
