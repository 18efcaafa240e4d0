// The text that is looked at: its score, what each letter or word adds to it, and what people said of it.

const sigmoid = (score) => 1 / (1 + Math.exp(-score));

class TextPanel {
  // `change(text)` hears a text that was typed.
  constructor(change) {
    this.change = change;
    this.input = html("input", { type: "text", class: "typed", spellcheck: "false", autocomplete: "off",
      onkeydown: (event) => { if (event.key === "Enter") this.commit(); event.stopPropagation(); }, onblur: () => this.commit() });
    this.name = html("span");
    this.tokens = html("div", { class: "tokens", role: "img" });
    this.mark = html("i");
    this.verdict = html("b");
    this.people = html("small");
    this.what = html("span");
    this.note = html("span");
    this.element = html("section", { class: "panel", "aria-label": "text" },
      html("header", {}, html("label", {}, this.name, this.input), this.verdict, this.people),
      html("div", { class: "scale" }, html("span", {}, "bad"), html("div", { class: "track" }, this.mark), html("span", {}, "good")),
      this.tokens, html("p", { class: "note" }, this.what, " by what the score loses without it: ", html("span", { class: "good" }, "good"), " or ", html("span", { class: "bad" }, "bad"), ".", this.note));
  }

  build(data) {
    const kind = data.joint ? "Sentence" : "Word";
    if (data.word !== this.word || !this.input.matches(":focus")) this.input.value = data.word;
    this.word = data.word;
    this.letters = !data.joint;
    this.element.classList.toggle("sentence", !this.letters);
    this.name.textContent = kind;
    this.input.setAttribute("aria-label", kind.toLowerCase());
    this.people.textContent = this.said(data);
    this.what.textContent = this.letters ? "Each letter" : "Each word";
    this.left = data.left_out ? ` The net sees the first ${data.longest} words; ${data.left_out} more are cut off.` : "";
  }

  said({ rating, labels, held_out: heldOut }) {
    if (rating === null) return this.letters ? "not among the rated words" : "not among these sentences";
    const judged = labels ? `labelled ${rating > 0 ? "good" : "bad"}` : `people say ${format(rating, 2)} of −4 … 4`;
    return `${judged}; ${heldOut ? "held out: the net has not seen it" : "the net was trained on it"}`;
  }

  commit() {
    const text = this.input.value.trim();
    if (text && text !== this.word) this.change(this.letters ? text.toLowerCase() : text);
  }

  paint({ tokens, known }, parts, scale) {
    const [score] = parts.score;
    const chance = sigmoid(score);
    this.mark.style.left = `${(100 * chance).toFixed(2)}%`;
    this.verdict.textContent = `${score > 0 ? "good" : "bad"}, ${(100 * Math.max(chance, 1 - chance)).toFixed(1)} %`;
    this.verdict.className = score > 0 ? "good" : "bad";
    const reach = Math.max(...parts.contributions.map(Math.abs), 1e-9);
    const cells = tokens.map((token, k) => {
      const part = parts.contributions[k];
      const title = `without “${token}” the score is ${format(score - part, 3)}${known[k] ? "" : "; a word that the net does not know"}`;
      return html("span", { class: known[k] ? "token" : "token unknown", title, style: `background: ${scale.css(part, 0.85 * (Math.abs(part) / reach))}` }, token, html("small", {}, format(part, 2)));
    });
    this.tokens.replaceChildren(...cells);
    this.tokens.setAttribute("aria-label", tokens.map((token, k) => `${token} ${format(parts.contributions[k], 2)}`).join(", "));
    this.note.textContent = `${known.every(Boolean) ? "" : " Dashed: a word that the net does not know."}${this.left}`;
  }
}
