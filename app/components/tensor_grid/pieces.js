// A long formula in pieces, which stand one after the other and wrap like words.

const MOST_TERMS = 36;

const infix = (sign) => math("mo", { form: "infix" }, sign);
const piece = (...children) => math("math", {}, ...children);
const equation = (left, pieces) => [piece(left, infix("=")), ...pieces];
const hint = (text) => html("span", { class: "hint" }, text);
const count = (number, noun) => `${number} ${noun}${number === 1 ? "" : "s"}`;
const bracketed = (index) => math("mtext", { class: "index" }, `[${index.join(", ")}]`.replace(/-/g, "−"));
const named = (name, index) => math("mrow", {}, math("mi", {}, name), bracketed(index));
const added = (met, term) => separated(met, term, "+");
const listing = (met, term) => separated(met, term, ",");

function figure(tensor, index, meaning) {
  const value = decode(tensor.values[positionOf(tensor, index)]);
  return meaning ? math("mn", { class: meaning }, format(value)) : number(value);
}

function separated(met, term, sign) {
  const pieces = met.slice(0, MOST_TERMS).map((one, k) => piece(...(k ? [infix(sign)] : []), term(one)));
  if (met.length > MOST_TERMS) pieces.push(piece(infix(sign), math("mtext", {}, `… (${met.length.toLocaleString("en")} terms)`)));
  return pieces.length ? pieces : [piece(math("mn", {}, "0"))];
}
