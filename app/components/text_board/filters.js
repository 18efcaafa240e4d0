// What each filter listens to, where it fires in the word, and the worst mistakes.

const MOST_SHOWN = 24; // filters: those that move the score of the word most

class Filters {
  // `look(word)` hears a word that was pressed.
  constructor(look) {
    this.look = look;
    this.rows = html("tbody");
    this.table = html("table", {}, html("thead", {}, html("tr", {}, ...["listens to", "fires here at", "by", "weight", "adds"].map((name) => html("th", { scope: "col" }, name)))), this.rows);
    this.mistakes = html("ul", { class: "mistakes" });
    this.element = html("div", { class: "main" },
      html("section", { class: "panel", "aria-label": "filters" }, html("h4", {}, "What the filters listen to", html("small", {}, "those that move this word's score most; left, where each fires most in all test words")), html("div", { class: "scroll" }, this.table)),
      html("section", { class: "panel", "aria-label": "mistakes" }, html("h4", {}, "Worst mistakes", html("small", {}, "the surest first; press one to look at it")), this.mistakes));
  }

  build({ words }) { this.words = words; }

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
      return html("tr", {}, html("td", { class: "heard" }, ...this.marked(heard, listens[2 * filter + 1], shape.window)),
        html("td", { class: "heard" }, ...(most > 0 ? this.marked(shape.word, at, shape.window) : ["nowhere"])), html("td", {}, format(most, 3)), html("td", {}, format(weight, 3)),
        html("td", { style: `background: ${scale.css(adds, Math.min(Math.abs(adds) / 2, 0.75))}` }, format(adds, 3)));
    }));
    this.mistakes.replaceChildren(...this.wrong(parts.mistakes));
  }

  // A word with one of its windows set off.
  marked(word, at, window) {
    return [html("span", {}, word.slice(0, at)), html("mark", {}, word.slice(at, at + window) || "␣"), html("span", {}, word.slice(at + window))];
  }

  wrong(mistakes) {
    const items = [];
    for (let k = 0; k < mistakes.length; k += 2) {
      const [word, rating] = this.words[mistakes[k]] ?? [];
      if (word === undefined) continue;
      const score = mistakes[k + 1];
      items.push(html("li", {}, html("button", { type: "button", onclick: () => this.look(word), title: `people say ${rating}; the net's score is ${format(score, 3)}` }, word, html("small", { class: score > 0 ? "good" : "bad" }, `${score > 0 ? "good" : "bad"}, ${Math.round(100 * Math.max(sigmoid(score), 1 - sigmoid(score)))} %`))));
    }
    return items.length ? items : [html("li", {}, "none of the test words")];
  }
}
