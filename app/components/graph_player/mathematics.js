// MathML fragments made by the server: parsed once, copied for each use; and names as plain text.

const fragments = new Map();

// Parses a MathML fragment made by the engine (well-formed XML) and returns a fresh copy of it.
function parseMath(text) {
  if (!fragments.has(text)) {
    const parsed = new DOMParser().parseFromString(`<mrow xmlns="${MATHML}">${text}</mrow>`, "application/xml");
    const broken = parsed.querySelector("parsererror");
    fragments.set(text, broken ? math("mrow", {}, math("mtext", {}, text)) : document.importNode(parsed.documentElement, true));
  }
  return fragments.get(text).cloneNode(true);
}

const SUBSCRIPT = "₀₁₂₃₄₅₆₇₈₉";

// The same name as plain text, for labels and screen readers: v₃.
function plainText(mathText) {
  const row = parseMath(mathText);
  for (const script of row.querySelectorAll("msub > :last-child")) {
    script.textContent = script.textContent.replace(/\d/g, (digit) => SUBSCRIPT[digit]);
  }
  return row.textContent.trim();
}

// A formula within a line of text.
const inline = (content) => math("math", {}, content);
