// One element at a time, with its real numbers: what made it, and what came back to it.

const MOST_TERMS = 8;

const cellIndex = (shape, place) => {
  const index = [];
  for (let d = shape.length - 1, left = place; d >= 0; left = Math.floor(left / shape[d]), d -= 1) index.unshift(left % shape[d]);
  return shape.length ? `[${index.join(", ")}]` : "";
};
const element = (name, shape, place) => math("mrow", {}, parseMath(name), math("mtext", {}, cellIndex(shape, place)));
const partialOf = (term) => math("mfrac", {}, math("mrow", {}, math("mo", {}, "∂"), math("mi", {}, "L")), math("mrow", {}, math("mo", {}, "∂"), term));
const signed = (value, className) => {
  const number = math("mn", { class: className }, format(decode(value), 4));
  return decode(value) < 0 ? math("mrow", {}, math("mo", {}, "("), number, math("mo", {}, ")")) : number;
};

// The places in a row or a column of a Jacobian that are not 0.
const inRow = (jacobian, row, columns) => Array.from({ length: columns }, (_, j) => j).filter((j) => decode(jacobian[row * columns + j]) !== 0);
const inColumn = (jacobian, column, columns) => Array.from({ length: jacobian.length / columns }, (_, i) => i).filter((i) => decode(jacobian[i * columns + column]) !== 0);
const lengthOf = (shape) => shape.reduce((product, length) => product * length, 1);

function sumOf(terms) {
  const row = math("mrow");
  terms.slice(0, MOST_TERMS).forEach((term, k) => row.append(...(k ? [math("mo", {}, "+"), term] : [term])));
  if (terms.length > MOST_TERMS) row.append(math("mo", {}, "+"), math("mtext", {}, `… (${terms.length} products)`));
  if (!terms.length) row.append(math("mn", {}, "0"));
  return row;
}
const productOf = (left, right) => math("mrow", {}, left, math("mo", {}, "·"), right);

// y[i] = f(its operands' numbers): by the operator's own formula, or as the sum of products it is.
function forwardLine(opened, i) {
  const name = element(opened.math, opened.shape, i);
  const result = math("mn", { class: "value" }, format(decode(opened.values[i])));
  const made = opened.template ? filledTemplate(opened, i) : opened.additive ? additive(opened, i) : undefined;
  return inline(math("mrow", {}, name, math("mo", {}, "="), ...(made ? [made, math("mo", {}, "=")] : []), result));
}

function filledTemplate({ template, operands }, i) {
  const number = ({ number: constant, operand, places }) => (constant === undefined ? operands[operand].values?.[places[i]] : constant);
  const row = parseMath(template.formula);
  for (const hole of row.querySelectorAll(".hole")) {
    const slot = template.slots["abc".indexOf(hole.textContent.trim())];
    if (slot) hole.replaceWith(signed(number(slot), "value"));
  }
  return row;
}

function additive({ operands }, i) {
  const used = operands.find(({ jacobian, values }) => jacobian && values);
  if (!used) return undefined;
  const columns = lengthOf(used.shape);
  return sumOf(inRow(used.jacobian, i, columns).map((j) => {
    const weight = decode(used.jacobian[i * columns + j]);
    return weight === 1 ? signed(used.values[j], "value") : productOf(signed(used.values[j], "value"), signed(weight, "value"));
  }));
}

// ∂L/∂a[j] = Σ over i of ∂L/∂y[i] · ∂y[i]/∂a[j], over the entries of column j that are not 0.
function backwardLine(opened, operand, j) {
  const columns = lengthOf(operand.shape);
  const rows = inColumn(operand.jacobian, j, columns);
  const terms = rows.map((i) => productOf(signed(opened.upstream[i], "gradient"), signed(operand.jacobian[i * columns + j], "")));
  const total = rows.reduce((sum, i) => sum + decode(opened.upstream[i]) * decode(operand.jacobian[i * columns + j]), 0);
  const sent = operand.sent ? decode(operand.sent[j]) : total;
  return inline(math("mrow", {}, partialOf(element(operand.math, operand.shape, j)), math("mo", {}, "+="), sumOf(terms), math("mo", {}, "="), math("mn", { class: "gradient" }, format(sent))));
}
