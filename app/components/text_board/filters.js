// What each filter listens to, where it fires in the text, and the worst mistakes.

const MOST_SHOWN = 24; // filters: those that move the score of the text most
const AROUND = 1; // words of a sentence that are shown on either side of a window

class Filters {
  // `look(text)` hears a text that was pressed.
  constructor(look) {
    this.look = look;
    this.rows = html("tbody");
    this.table = html("table", {}, html("thead", {}, html("tr", {}, ...["listens to", "fires here at", "by", "weight", "adds"].map((name) => html("th", { scope: "col" }, name)))), this.rows);
    this.mistakes = html("ul", { class: "mistakes" });
    this.explained = html("small");
    this.element = html("div", { class: "main" },
      html("section", { class: "panel", "aria-label": "filters" }, html("h4", {}, "What the filters listen to", this.explained), html("div", { class: "scroll" }, this.table)),
      html("section", { class: "panel", "aria-label": "mistakes" }, html("h4", {}, "Worst mistakes", html("small", {}, "the surest first; press one to look at it")), this.mistakes));
  }

  build({ words, joint, labels }) {
    Object.assign(this, { words, joint, labels });
    const kind = joint ? "sentence" : "word";
    this.explained.textContent = `those that move this ${kind}'s score most; left, where each fires most in all test ${kind}s`;
    this.mistakes.classList.toggle("sentences", Boolean(joint));
  }

  paint(shape, parts, scale) {
    const { weights, fired, listens } = parts;
    const windows = fired.length / weights.length;
    const rows = [...weights].map((weight, filter) => {
      const row = fired.subarray(filter * windows, (filter + 1) * windows);
      const most = Math.max(...row);
      return { filter, weight, most, at: row.indexOf(most), adds: weight * most };
    }).sort((a, b) => Math.abs(b.adds) - Math.abs(a.adds)).slice(0, MOST_SHOWN);
    this.rows.replaceChildren(...rows.map(({ filter, weight, most, at, adds }) => {
      const heard = this.words[listens[2 * filter]]?.[0] ?? "";
      return html("tr", {}, html("td", { class: "heard" }, ...this.marked(heard.split(this.joint), listens[2 * filter + 1], shape.window)),
        html("td", { class: "heard" }, ...(most > 0 ? this.marked(shape.tokens, at, shape.window) : ["nowhere"])), html("td", {}, format(most, 3)), html("td", {}, format(weight, 3)),
        html("td", { style: `background: ${scale.css(adds, Math.min(Math.abs(adds) / 2, 0.75))}` }, format(adds, 3)));
    }));
    this.mistakes.replaceChildren(...this.wrong(parts.mistakes));
  }

  // The tokens of a text with one of its windows set off; of a sentence only the words around it.
  marked(tokens, at, window) {
    const { joint } = this;
    const from = joint ? Math.max(at - AROUND, 0) : 0;
    const to = joint ? at + window + AROUND : tokens.length;
    const piece = (start, end) => tokens.slice(start, end).join(joint);
    const before = `${from > 0 ? "… " : ""}${piece(from, at)}${joint}`;
    const after = `${joint}${piece(at + window, to)}${to < tokens.length ? " …" : ""}`;
    return [html("span", {}, before), html("mark", {}, piece(at, at + window) || "␣"), html("span", {}, after)];
  }

  wrong(mistakes) {
    const items = [];
    for (let k = 0; k < mistakes.length; k += 2) {
      const [text, rating] = this.words[mistakes[k]] ?? [];
      if (text === undefined) continue;
      const score = mistakes[k + 1];
      const judged = this.labels ? `labelled ${rating > 0 ? "good" : "bad"}` : `people say ${format(rating, 2)}`;
      items.push(html("li", {}, html("button", { type: "button", onclick: () => this.look(text), title: `${judged}; the net's score is ${format(score, 3)}` }, html("span", {}, text), html("small", { class: score > 0 ? "good" : "bad" }, `${score > 0 ? "good" : "bad"}, ${Math.round(100 * Math.max(sigmoid(score), 1 - sigmoid(score)))} %`))));
    }
    return items.length ? items : [html("li", {}, this.joint ? "none of the test sentences" : "none of the test words")];
  }
}
