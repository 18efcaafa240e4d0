// Formulas with live numbers: MathML templates of the operators, their holes filled by names or numbers.

const sign = (text) => math("mo", {}, text);
const number = (value, className, id) => math("mn", { class: className, "data-node": id }, format(value));
const fraction = (above, below) => math("mfrac", {}, above, below);

// A negative number inside a formula wears parentheses, unless it already stands between fences.
function guarded(hole, term) {
  if (!isNegative(term)) return term;
  const before = hole.previousElementSibling?.textContent ?? "";
  const after = hole.nextElementSibling?.textContent ?? "";
  const alone = !before && !after && ["mfrac", "msqrt"].includes(hole.parentNode.localName);
  if (alone || (/^[(|,]$/.test(before) && /^[)|,]$/.test(after))) return term;
  return inParentheses(term);
}

function fill(template, terms) {
  const row = parseMath(template);
  for (const hole of row.querySelectorAll(".hole")) {
    const term = terms[hole.textContent.trim()];
    if (term) hole.replaceWith(guarded(hole, term()));
  }
  return row;
}

class Notation {
  constructor(model) { this.model = model; }

  // A node's name; hovering it lights the node.
  name(id) {
    const term = parseMath(this.model.nodes.get(id).math);
    term.setAttribute("data-node", id);
    return term;
  }

  valueOf(id, step) {
    const value = this.model.value(id, step);
    return value === undefined ? this.name(id) : number(value, "value", id);
  }

  // ∂L/∂v in reverse mode, dv/dx in forward mode.
  derivative(id) {
    const { symbols, forwardMode } = this.model;
    if (forwardMode) {
      return fraction(math("mrow", {}, sign("d"), this.name(id)), math("mrow", {}, sign("d"), parseMath(symbols.seed ?? "<mi>x</mi>")));
    }
    return fraction(math("mrow", {}, sign("∂"), parseMath(symbols.output)), math("mrow", {}, sign("∂"), this.name(id)));
  }

  local(edge) {
    return fraction(math("mrow", {}, sign("∂"), this.name(edge.to)), math("mrow", {}, sign("∂"), this.name(edge.from)));
  }

  // The holes a, b, c stand for the arguments in order, y for the result.
  terms(id, render) {
    const terms = { y: () => render(id) };
    this.model.argumentsOf(id).forEach((argument, slot) => { terms["abc"[slot]] = () => render(argument); });
    return terms;
  }

  operation(id, render) {
    const template = this.model.operators[this.model.nodes.get(id).operator]?.formula;
    return template && fill(template, this.terms(id, render));
  }

  partial(edge, render) {
    const template = this.model.operators[this.model.nodes.get(edge.to).operator]?.partials?.[edge.slot];
    return template && fill(template, this.terms(edge.to, render));
  }
}

// Joins the parts of a chain of equalities, leaving out a part that reads the same as the one before.
function equalities(parts, relation = "=") {
  const row = math("mrow");
  let last = "";
  parts.filter(Boolean).forEach((part, index) => {
    if (part.textContent === last) return;
    if (index) row.append(sign(row.childElementCount === 1 ? relation : "="));
    row.append(part);
    last = part.textContent;
  });
  return row;
}

const isNegative = (term) => /^[−-]/.test(term.textContent);
const inParentheses = (term) => math("mrow", {}, sign("("), term, sign(")"));

// True for a + b and a − b at the top of a term, which a product must put in parentheses.
function isSum(term) {
  let row = term;
  while (row.childElementCount === 1 && row.localName === "mrow") row = row.firstElementChild;
  return row.localName === "mrow" && [...row.children].slice(1).some((part) => part.localName === "mo" && /^[+−-]$/.test(part.textContent));
}

const factor = (term) => (isNegative(term) || isSum(term) ? inParentheses(term) : term);
const product = (left, times, right) => math("mrow", {}, factor(left), sign(times), factor(right));

function sum(terms) {
  const row = math("mrow");
  terms.forEach((term, index) => row.append(...(index ? [sign("+"), isNegative(term) ? inParentheses(term) : term] : [term])));
  return row;
}

// The formula bar: one row for each thing the step computes.
class Formula {
  constructor() {
    this.note = html("p", { class: "note" });
    this.rows = html("div", { class: "rows" });
    this.element = html("div", { class: "formula", role: "group", "aria-label": "formula of this step" }, this.note, this.rows);
  }

  show(model, index) {
    const step = model.steps[index];
    const notation = new Notation(model);
    this.note.textContent = step.note ?? "";
    const rows = stepFormulas(notation, step, index);
    this.rows.className = `rows ${rows.length === 1 ? "single" : rows.length > 2 ? "many" : ""}`;
    this.rows.replaceChildren(...rows);
  }
}

function formulaRow(content, aside) {
  return html("div", { class: "row" }, math("math", {}, content), ...(aside ? [aside] : []));
}

function stepFormulas(notation, step, index) {
  const contributions = step.contributions ?? [];
  if (step.phase === "backward") {
    if (!contributions.length) return [formulaRow(seedFormula(notation, step, index))];
    return contributions.map((contribution) => contributionRow(notation, step, contribution));
  }
  const rows = [formulaRow(valueFormula(notation, step.node, index))];
  const tangent = notation.model.gradient(step.node, index);
  if (step.kind !== "value" && tangent !== undefined) rows.push(formulaRow(tangentFormula(notation, step, tangent)));
  return rows;
}

function valueFormula(notation, id, index) {
  const { model } = notation;
  const value = model.value(id, index);
  const result = value === undefined ? undefined : number(value, "value", id);
  if (model.nodes.get(id).kind === "constant") return math("mrow", {}, result ?? notation.name(id));
  return equalities([
    notation.name(id),
    notation.operation(id, (term) => notation.name(term)),
    notation.operation(id, (term) => notation.valueOf(term, index)),
    result,
  ]);
}

// ∂L/∂L = 1: the sweep starts from the output itself.
function seedFormula(notation, step, index) {
  const output = () => math("mrow", {}, sign("∂"), parseMath(notation.model.symbols.output));
  const gradient = notation.model.gradient(step.node, index);
  return equalities([
    notation.derivative(step.node),
    step.kind === "seed" && fraction(output(), output()),
    gradient !== undefined && number(gradient, "gradient", step.node),
  ]);
}

function contributionRow(notation, step, contribution) {
  const edge = notation.model.edgeOf(step, contribution);
  const [upstream, local, amount] = [contribution.upstream, contribution.local, contribution.product].map(decode);
  const symbolic = notation.partial(edge, (term) => notation.name(term));
  const times = () => number(upstream, "gradient", edge.to);
  const equation = equalities([
    notation.derivative(edge.from),
    product(notation.derivative(edge.to), "·", notation.local(edge)),
    symbolic && product(times(), "×", symbolic),
    product(times(), "×", number(local)),
    number(amount, "gradient", edge.from),
  ], "+=");
  const before = decode(contribution.before);
  if (before === undefined) return formulaRow(equation);
  const after = decode(contribution.after) ?? before + amount;
  const total = equalities([sum([number(before, "gradient"), number(amount, "gradient")]), number(after, "gradient", edge.from)]);
  return formulaRow(equation, html("span", { class: "accumulate", title: "contributions add up" }, "Σ", math("math", {}, total)));
}

// Forward mode: the tangents of the operands, each times its local partial, make the tangent of the result.
function tangentFormula(notation, step, tangent) {
  const contributions = step.contributions ?? [];
  const result = number(tangent, "tangent", step.node);
  if (!contributions.length) return equalities([notation.derivative(step.node), result]);
  const edges = contributions.map((contribution) => notation.model.edgeOf(step, contribution));
  const locals = edges.map((edge) => notation.partial(edge, (term) => notation.name(term)));
  const upstream = contributions.map((contribution) => () => number(decode(contribution.upstream), "tangent"));
  return equalities([
    notation.derivative(step.node),
    sum(edges.map((edge) => product(notation.local(edge), "·", notation.derivative(edge.from)))),
    locals.every(Boolean) && sum(locals.map((local, slot) => product(local, "×", upstream[slot]()))),
    sum(contributions.map(({ local }, slot) => product(number(decode(local)), "×", upstream[slot]()))),
    result,
  ]);
}
