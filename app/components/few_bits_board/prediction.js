// Predict first: which lane will be the worst? Asked while the run is young; answered when it has come far enough.

const ANSWERED_AT = 10; // epochs
let unasked = false; // once skipped, for as long as the page is open

class Prediction {
  constructor() {
    this.element = html("div", { class: "prediction", hidden: true });
  }

  build({ lanes, controls, present }) {
    if (controls !== this.controls) this.guess = undefined;
    Object.assign(this, { lanes, controls, present, drawn: undefined });
  }

  draw(stream, shown) {
    const reached = shown.epoch >= ANSWERED_AT;
    const asked = !unasked && !this.present && this.lanes.length > 1 && shown.shape.lanes.length === this.lanes.length && (this.guess !== undefined || !reached);
    this.element.hidden = !asked;
    const state = `${asked} ${this.guess} ${reached}`;
    if (!asked || state === this.drawn) return;
    this.drawn = state;
    this.element.replaceChildren(...this.content(stream, reached));
  }

  content(stream, reached) {
    const skip = (name) => html("button", { type: "button", class: "quiet", onclick: () => { unasked = true; this.element.hidden = true; } }, name);
    if (this.guess === undefined) {
      const pick = (lane, k) => html("button", { type: "button", onclick: () => { this.guess = k; this.drawn = undefined; this.element.replaceChildren(...this.content(stream, false)); } }, lane.short);
      return [html("b", {}, "Predict first."), html("span", {}, `Which lane will have the lowest test accuracy after ${ANSWERED_AT} epochs?`), ...this.lanes.map(pick), skip("Skip")];
    }
    const said = this.lanes[this.guess].short;
    if (!reached) return [html("b", {}, `You said ${said}.`), html("span", {}, `Train to epoch ${ANSWERED_AT} to see.`), skip("Close")];
    const found = lanesOf(stream.at({ epoch: ANSWERED_AT, used: 0 })).map(({ accuracy }) => accuracy[MEDIAN]);
    const worst = Math.min(...found);
    const right = found[this.guess] === worst;
    const verdict = right ? `${said} is the lowest, with ${percent(worst)}.` : `${said} had ${percent(found[this.guess])}; the lowest is ${this.lanes[found.indexOf(worst)].short}, with ${percent(worst)}.`;
    return [html("b", { class: right ? "right" : "" }, right ? "Right." : "Not quite."), html("span", {}, verdict), skip("Close")];
  }
}
