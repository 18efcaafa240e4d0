// The same number by other conventions and by the libraries: a row each; what differs from the first row is lit.

function conventionsTable({ columns, rows }) {
  const cell = (entry) => (entry ? html("td", { class: entry.lit ? "lit" : undefined }, entry.text) : html("td", { class: "none" }, html("span", { class: "hidden" }, "not applicable")));
  return [
    html("header", {}, html("h3", {}, "By other conventions"), html("span", { class: "told" }, "lit: not what rounding once, to nearest even, gives; libraries start from the nearest float64")),
    html("div", { class: "scroll" }, html("table", {},
      html("thead", {}, html("tr", {}, html("th", {}), ...columns.map((name) => html("th", { scope: "col" }, name)))),
      html("tbody", {}, ...rows.map(({ name, cells }) => html("tr", { "data-convention": name }, html("th", { scope: "row" }, name), ...cells.map(cell)))))),
  ];
}
