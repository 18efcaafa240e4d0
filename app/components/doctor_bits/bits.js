// One row a number of threads: the sum, its 32 bits, and how many of them differ from those on one thread.

const PARTS = [["sign", 1], ["exponent", 8], ["fraction", 23]];

function word(bits, first) {
  let at = 0;
  return PARTS.map(([part, length]) => {
    const cells = [...bits.slice(at, at + length)].map((bit, k) => html("i", { class: bit === first[at + k] ? "" : "differs" }, bit));
    at += length;
    return html("span", { class: part, title: part }, ...cells);
  });
}

function row({ name, value, bits, differing }, first) {
  const said = differing ? `${differing} ${differing === 1 ? "bit differs" : "bits differ"}` : "";
  return html("div", { class: "row", "data-differing": differing }, html("span", { class: "name" }, name), html("output", {}, value),
    html("span", { class: "word", role: "img", "aria-label": bits }, ...word(bits, first)), html("small", {}, said));
}

class DoctorBits {
  constructor(root) { this.root = root; }

  update({ rows }) {
    this.root.replaceChildren(html("section", { class: "words", "aria-label": "sums and their bits" }, ...rows.map((entry) => row(entry, rows[0].bits))));
  }
}

export default mounting(DoctorBits);
