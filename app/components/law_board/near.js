// How often the law fails among random examples, exactly and with some units in the last place forgiven.

class Near {
  constructor() {
    this.rows = html("div", { class: "bars" });
    this.element = html("section", { class: "near" }, html("h3", {}, "Among random examples, the sides are further apart than"), this.rows);
  }

  update({ near }) {
    this.element.hidden = !near.length;
    this.rows.replaceChildren(...near.map(({ ulps, share, error }) => {
      const percent = 100 * share;
      const said = share === 0 ? "none" : `${format(percent, 3)} ± ${format(100 * error, 2)} %`;
      return html("div", { class: "bar-row" }, html("span", {}, ulps ? `${ulps} ulp` : "0 ulp"),
        html("span", { class: "track", role: "img", "aria-label": said }, html("i", { style: `width: ${Math.max(percent, share ? 0.4 : 0).toFixed(2)}%` })), html("output", {}, said));
    }));
  }
}
