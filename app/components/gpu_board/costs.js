// Predicted beside counted, the same prediction for other settings, and how many blocks a multiprocessor holds.

class Costs {
  constructor(choose) {
    this.choose = choose;
    this.counts = html("table", { class: "counts" });
    this.lanes = html("p", { class: "note" });
    this.sweep = html("div", { class: "sweep" });
    this.occupancy = html("table", { class: "occupancy" });
    this.held = html("p", { class: "note" });
    this.element = html("section", { class: "costs", "aria-label": "what it costs" }, html("div", {}, this.counts, this.lanes), this.sweep, html("div", {}, this.occupancy, this.held));
  }

  build(data) {
    const rows = data.counts.map(({ name, formula, predicted, measured }) => {
      const known = measured !== null;
      const right = known && Math.abs(measured - predicted) < 1e-9;
      const verdict = !known ? "" : right ? "✓" : "✗";
      return html("tr", { "data-count": name }, html("th", { scope: "row" }, name), html("td", { class: "by" }, formula), html("td", {}, figure(predicted)),
        html("td", {}, known ? html("b", {}, figure(measured)) : "–"), html("td", { class: right ? "right" : "off" }, verdict));
    });
    this.counts.replaceChildren(html("thead", {}, row("th", [data.counts.some(({ measured }) => measured === null) ? "stopped, not counted" : "whole launch", "closed form", "predicted", "counted", ""])), html("tbody", {}, ...rows));
    this.lanes.hidden = data.counts[0].measured === null;
    this.lanes.textContent = `Of a warp's 32 lanes ${Math.round(100 * data.lanes)} % take part in a request, on average.`;
    this.bars(data);
    this.fit(data.occupancy);
  }

  bars({ sweep, swept: { title, value: chosen }, counts }) {
    const most = Math.max(...sweep.predicted);
    const bars = sweep.values.map((value, k) => html("button", { type: "button", class: value === chosen ? "here" : undefined, "aria-pressed": String(value === chosen), style: `--part: ${(sweep.predicted[k] / most).toFixed(4)}`,
      title: `${title} ${value}: ${figure(sweep.predicted[k])}`, "aria-label": `${title} ${value}: ${figure(sweep.predicted[k])}`, onclick: () => this.choose({ field: sweep.field, value }) },
      html("i"), html("small", {}, sweep.values.length < 12 || value === chosen ? value : " ")));
    const now = counts[0].measured;
    this.sweep.replaceChildren(html("p", { class: "note" }, html("b", {}, sweep.name), ` by ${title}, predicted${now === null ? "" : `; at ${chosen}, counted: ${figure(now)}`}. Click one to launch it.`), html("div", { class: "bars", role: "group", "aria-label": `${sweep.name} by ${title}` }, ...bars));
  }

  fit({ limits, limiting, blocks, warps, most, share, gpu }) {
    const rows = Object.entries(limits).map(([name, fits]) => html("tr", { class: name === limiting ? "limiting" : undefined }, html("th", { scope: "row" }, name), html("td", {}, fits), html("td", {}, name === limiting ? "the limit" : "")));
    this.occupancy.replaceChildren(html("caption", {}, `Occupancy ${Math.round(100 * share)} %: ${warps} of ${most} warps`), html("thead", {}, row("th", ["limited by", "blocks that fit", ""])), html("tbody", {}, ...rows));
    this.occupancy.dataset.share = share;
    this.held.textContent = blocks ? `A multiprocessor of compute capability ${gpu} holds ${blocks === 1 ? "1 block" : `${blocks} blocks`} like this at once; other warps work while one waits for memory.`
      : `A multiprocessor of compute capability ${gpu} cannot hold a block like this: the launch would fail.`;
  }
}

const figure = (value) => (Number.isInteger(value) ? value.toLocaleString("en") : format(value, 4));
const row = (kind, texts) => html("tr", {}, ...texts.map((text) => html(kind, { scope: "col" }, text)));
