// What a check of a derivative says, as a mark and in words: never by colour alone.

const VERDICTS = {
  passed: { mark: "tick", word: "agrees" },
  failed: { mark: "cross", word: "differs" },
  undecided: { mark: null, word: "undecided" },
};

function verdictMark(verdict) {
  const found = VERDICTS[verdict];
  if (!found) return html("span", { class: "pending", title: "no gradient came here" }, "·");
  return html("span", { class: `verdict ${verdict}`, role: "img", "aria-label": found.word, title: found.word }, found.mark ? icon(found.mark) : "?");
}

// Both figures of a check, or why there are none.
function verdictFigures(check) {
  if (!check) return [html("span", { class: "pending" }, "not checked")];
  const figures = check.recorded === null ? [] : [
    html("span", { class: "named" }, "backprop ", html("b", { class: "gradient-figure" }, format(decode(check.recorded), 4))),
    html("span", { class: "named" }, "differences ", html("b", {}, format(decode(check.numeric), 4))),
    html("span", { class: "named" }, `off by ${format(100 * decode(check.error), 2)} %`)];
  return [verdictMark(check.verdict), ...figures, ...(check.why ? [html("span", { class: "named why" }, check.why)] : [])];
}

// The same on a node of the drawing, in its lower right corner.
function nodeVerdict({ w, h, verdict }) {
  const [x, y] = [w / 2 - 2, h / 2 - 2];
  const path = { passed: "M-4.2.4-1.4 3.4 4.4-3.6", failed: "M-3.4-3.4 3.4 3.4M3.4-3.4-3.4 3.4" }[verdict];
  const sign = path ? svg("path", { d: path }) : svg("text", { y: 4 }, "?");
  return svg("g", { class: `stamp ${verdict}`, transform: `translate(${x} ${y})` }, svg("circle", { r: 8.5 }), sign, svg("title", {}, `derivative ${VERDICTS[verdict].word}`));
}
