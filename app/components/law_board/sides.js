// An example: its numbers bit by bit, and both sides with every value on the way; a bar says how each was rounded.

const HALF = 0.5; // units in the last place: the most that one rounding to nearest can be

function bits(fields, other) {
  if (!fields.length) return "";
  const flat = other?.join("");
  let place = 0;
  const one = (bit) => html("i", { class: flat && flat[place++] !== bit ? "differs" : undefined }, bit);
  return html("span", { class: "bits", role: "img", "aria-label": `bits ${fields.join(" ")}` },
    ...["sign", "exponent", "fraction"].map((field, k) => html("span", { class: `field ${field}` }, ...[...fields[k]].map(one))));
}

const given = ({ name, text, bits: fields }) => html("div", { class: "given" }, html("code", { class: "name" }, name), html("output", {}, text), bits(fields));

// The rounding of one result, from −½ to ½ unit, around the middle.
function rounding(units) {
  if (units === null || units === undefined) return html("span", { class: "rounding unknown", title: "not known" }, "·");
  if (units === 0) return html("span", { class: "rounding none" }, "exact");
  const wide = Math.abs(units) > HALF + 1e-9;
  const share = 50 * Math.min(Math.abs(units) / HALF, 1);
  const side = units < 0 ? "negative" : "positive";
  const said = format(units, 2);
  return html("span", { class: `rounding ${side}`, title: `rounded by ${said} ulp` },
    html("span", { class: "scale" }, html("b", { style: `width: ${share.toFixed(1)}%; ${units < 0 ? "right" : "left"}: 50%` })), html("small", {}, wide ? "far" : said));
}

class Sides {
  constructor() {
    this.element = html("div", { class: "example" });
  }

  update({ law, example }) {
    if (!example) return;
    const { left, right } = example;
    const between = html("div", { class: "between" }, html("strong", {}, example.apart), example.element ? html("small", {}, `in element ${example.element}`) : "");
    this.element.classList.toggle("held", !example.broken);
    this.element.replaceChildren(
      ...(example.broken ? [] : [html("h3", {}, "One of the examples tried, on which it holds")]),
      html("div", { class: "givens" }, ...example.given.map(given)),
      html("div", { class: "sides" }, this.side("left", law.left, left, right), between, this.side("right", law.right, right, left)));
  }

  side(name, text, side, other) {
    const rows = side.steps.map((step) => this.row(step));
    const head = html("div", { class: "step head", "aria-hidden": "true" }, html("span"), html("span", {}, "step"), html("span", { class: "number" }, "value"), html("span", {}, "rounded by, ulp"));
    const hidden = side.hidden ? html("p", { class: "quiet" }, `… after ${side.hidden} earlier ${side.hidden === 1 ? "step" : "steps"}`) : "";
    const empty = side.steps.length ? head : html("p", { class: "quiet" }, name === "right" ? "nothing to compute, or all of it computed on the left" : "nothing to compute");
    return html("section", { class: `side ${name}`, "aria-label": `${name} side` },
      html("h3", {}, html("code", {}, text)), html("div", { class: "steps" }, empty, hidden, ...rows),
      html("footer", {}, html("div", { class: "total" }, html("small", {}, `${name} side`), html("output", {}, side.text)), bits(side.bits, other.bits), html("small", { class: "exact" }, `without rounding ${side.exact}`)));
  }

  row(step) {
    const row = html("div", { class: "step", tabindex: 0, "data-number": step.number, title: `${step.text}; without rounding ${step.exact}`,
      onpointerenter: () => this.light(step), onpointerleave: () => this.light(), onfocus: () => this.light(step), onblur: () => this.light() },
    html("span", { class: "count" }, `${step.number}`), html("code", {}, step.text), html("output", { class: "number" }, step.value), rounding(step.rounding));
    return row;
  }

  // A step and those it is computed from.
  light(step) {
    const lit = new Set(step ? [step.number, ...step.inputs] : []);
    for (const row of this.element.querySelectorAll(".step[data-number]")) row.classList.toggle("lit", lit.has(Number(row.dataset.number)));
  }
}
