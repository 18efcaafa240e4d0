// A question and its answers; the facts that were held out; all facts at a glance.

class Facts {
  // `look({person, relation})` hears what is to be asked.
  constructor(look) {
    this.look = look;
    this.person = html("select", { "aria-label": "person", onchange: () => look({ person: this.person.value }) });
    this.relation = html("select", { "aria-label": "relationship", onchange: () => look({ relation: this.relation.value }) });
    this.says = html("p", { class: "verdict" });
    this.answers = html("div", { class: "answers" });
    this.held = html("tbody");
    this.heldTitle = html("h4");
    this.all = html("table", { class: "facts" });
    this.allTitle = html("h4");
    this.ask = html("section", { class: "panel ask", "aria-label": "question" }, html("h4", {}, "Ask"), html("div", { class: "question" }, this.person, html("span", {}, "’s"), this.relation), this.says, this.answers);
    this.element = html("div", { class: "knowledge" },
      html("section", { class: "panel", "aria-label": "held-out facts" }, this.heldTitle, html("div", { class: "scroll" }, html("table", { class: "held" }, this.held))),
      html("section", { class: "panel", "aria-label": "all facts" }, this.allTitle, html("div", { class: "scroll" }, this.all)));
  }

  build(data) {
    const { people, relations, facts, held_out: heldOut } = data;
    Object.assign(this, { people, relations, facts, heldOut });
    if (!this.cells) {
      const options = (names) => names.map((name) => html("option", { value: name }, name));
      this.person.replaceChildren(...options(people));
      this.relation.replaceChildren(...options(relations));
      this.shares = people.map((name) => {
        const fill = html("i");
        const item = html("div", { class: "answer" }, html("span", {}, name), html("div", { class: "track" }, fill));
        this.answers.append(item);
        return { item, fill };
      });
      this.cells = new Map();
      const rows = relations.map((relation) => html("tr", {}, html("th", { scope: "row" }, relation), ...people.map((person) => {
        const fact = facts.findIndex(([who, what]) => who === person && what === relation);
        if (fact < 0) return html("td");
        const button = html("button", { type: "button", onclick: () => this.look({ person, relation }) });
        this.cells.set(fact, button);
        return html("td", {}, button);
      })));
      this.all.replaceChildren(html("tbody", {}, ...rows));
    }
    this.person.value = data.person;
    this.relation.value = data.relation;
  }

  paint(shape, parts) {
    this.paintAnswer(shape.question, parts.answer);
    this.paintHeldOut(parts["held out"]);
    let known = 0;
    for (const [fact, button] of this.cells) {
      const right = parts.right[fact] === 1;
      const isHeld = this.heldOut.includes(fact);
      known += right;
      const [person, relation, answers] = this.facts[fact];
      button.className = `${right ? "right" : "wrong"} ${isHeld ? "held-out" : ""} ${person === shape.question[0] && relation === shape.question[1] ? "chosen" : ""}`;
      button.title = `${person}’s ${relation}: ${answers.join(", ")}; answered ${right ? "right" : "wrong"}${isHeld ? ", never shown" : ""}`;
      button.setAttribute("aria-label", button.title);
    }
    this.allTitle.replaceChildren(`All ${this.cells.size} facts`, html("small", {}, `${known} answered right; columns: the 12 English, then the 12 Italians; framed: held out`));
  }

  paintAnswer([person, relation], answer) {
    const fact = this.facts.findIndex(([who, what]) => who === person && what === relation);
    const expected = fact < 0 ? [] : this.facts[fact][2];
    const named = this.named(answer);
    const held = this.heldOut.includes(fact) ? " The net was never shown this." : "";
    const truth = expected.length ? `In the tree: ${expected.join(", ")}.` : "The tree has none.";
    this.says.replaceChildren("The net says ", html("b", {}, named.join(", ") || "nobody"), `. ${truth}${held}`);
    this.shares.forEach(({ item, fill }, k) => {
      fill.style.width = `${(100 * answer[k]).toFixed(0)}%`;
      item.classList.toggle("expected", expected.includes(this.people[k]));
      item.title = `${this.people[k]}: ${format(answer[k], 3)}`;
    });
  }

  paintHeldOut(outputs) {
    let right = 0;
    this.held.replaceChildren(...this.heldOut.map((fact, k) => {
      const [person, relation, answers] = this.facts[fact];
      const named = this.named(outputs.subarray(k * this.people.length, (k + 1) * this.people.length));
      const isRight = named.join() === answers.join();
      right += isRight;
      return html("tr", {}, html("th", { scope: "row" }, html("button", { type: "button", class: "link", onclick: () => this.look({ person, relation }) }, `${person}’s ${relation}`)),
        html("td", {}, answers.join(", ")), html("td", {}, named.join(", ") || "nobody"), html("td", { class: isRight ? "good" : "wrong" }, isRight ? "right" : "wrong"));
    }));
    this.heldTitle.replaceChildren(`Held out: ${right} of ${this.heldOut.length} right`, html("small", {}, "asked, never trained: the question, the tree, the net"));
  }

  named(outputs) { return this.people.filter((_, k) => outputs[k] > 0.5); }
}
