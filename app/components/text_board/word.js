// The word that is looked at: its score, what each letter adds to it, and what people said of it.

const sigmoid = (score) => 1 / (1 + Math.exp(-score));

class WordPanel {
  // `change(word)` hears a word that was typed.
  constructor(change) {
    this.change = change;
    this.input = html("input", { type: "text", class: "typed", "aria-label": "word", spellcheck: "false", autocomplete: "off",
      onkeydown: (event) => { if (event.key === "Enter") this.commit(); event.stopPropagation(); }, onblur: () => this.commit() });
    this.letters = html("div", { class: "letters", role: "img" });
    this.mark = html("i");
    this.verdict = html("b");
    this.people = html("small");
    this.element = html("section", { class: "panel", "aria-label": "word" },
      html("header", {}, html("label", {}, "Word ", this.input), this.verdict, this.people),
      html("div", { class: "scale" }, html("span", {}, "bad"), html("div", { class: "track" }, this.mark), html("span", {}, "good")),
      this.letters, html("p", { class: "note" }, "Each letter by what the score loses without it: ", html("span", { class: "good" }, "good"), " or ", html("span", { class: "bad" }, "bad"), "."));
  }

  build({ word, longest, rating, held_out: heldOut }) {
    Object.assign(this, { longest });
    if (word !== this.word || !this.input.matches(":focus")) this.input.value = word;
    this.word = word;
    const kind = heldOut ? "held out: the net has not seen it" : "one of the training words";
    this.people.textContent = rating === null ? "not among the rated words" : `people say ${format(rating, 2)} of −4 … 4; ${kind}`;
  }

  commit() {
    const word = this.input.value.trim().toLowerCase();
    if (word && word !== this.word) this.change(word);
  }

  paint(shape, parts, scale) {
    const [score] = parts.score;
    const chance = sigmoid(score);
    this.mark.style.left = `${(100 * chance).toFixed(2)}%`;
    this.verdict.textContent = `${score > 0 ? "good" : "bad"}, ${(100 * Math.max(chance, 1 - chance)).toFixed(1)} %`;
    this.verdict.className = score > 0 ? "good" : "bad";
    const reach = Math.max(...parts.contributions.map(Math.abs), 1e-9);
    const cells = [...shape.word].map((letter, k) => {
      const part = parts.contributions[k];
      return html("span", { class: "letter", title: `without “${letter}” the score is ${format(score - part, 3)}`, style: `background: ${scale.css(part, 0.85 * (Math.abs(part) / reach))}` }, letter, html("small", {}, format(part, 2)));
    });
    this.letters.replaceChildren(...cells);
    this.letters.setAttribute("aria-label", [...shape.word].map((letter, k) => `${letter} ${format(parts.contributions[k], 2)}`).join(", "));
  }
}
