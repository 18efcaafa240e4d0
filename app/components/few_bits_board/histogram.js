// How large a net's gradients are, over what their format holds: by binary exponent, all lanes on one axis.

const SHOWN = [-34, 14]; // exponents; the histogram of a row goes further, what lies beyond is added to the ends
const CEILING = 0.16; // the share that fills the height

class Histogram {
  constructor() {
    this.canvas = html("canvas", { role: "img" });
    this.caption = html("p", { class: "zones" });
    this.element = html("div", { class: "histogram" }, this.canvas, this.caption);
  }

  // Which exponents are too small, subnormal, normal and too large.
  zone(exponent, { window, rounding }) {
    if (!window) return "normal";
    if (exponent > window.largest) return "large";
    if (exponent >= window.normal) return "normal";
    const least = rounding === "nearest" ? window.smallest - 1 : window.smallest; // half of the smallest rounds up
    return exponent >= least ? "subnormal" : "small";
  }

  draw({ gradients, zeros, unknown }, shape, style) {
    const zones = { small: 0, subnormal: 0, normal: 0, large: 0 };
    gradients.forEach((share, k) => { zones[this.zone(shape.low + k, style)] += share; });
    this.paint(gradients, shape, style);
    const say = (name, share, kind) => html("span", { class: kind }, `${name} ${roughly(share)}`);
    const { window } = style;
    this.caption.replaceChildren(
      ...(unknown > 0 ? [say("infinite or NaN", unknown, "large")] : []),
      ...(window ? [say(style.rounding === "stochastic" ? "mostly 0" : "become 0", zones.small, "small"), say(style.fixed ? "in reach" : "subnormal", zones.subnormal, "subnormal")] : []),
      ...(window && !style.fixed ? [say("normal", zones.normal, "normal")] : []),
      ...(window ? [say("too large", zones.large, "large")] : [html("span", {}, "each block has its own window")]),
      say("exactly 0", zeros, "none"));
    this.canvas.setAttribute("aria-label", `exponents of gradients: ${this.caption.textContent}`);
  }

  paint(gradients, { low }, style) {
    const { canvas } = this;
    const ratio = devicePixelRatio || 1;
    const [width, height] = [canvas.clientWidth, canvas.clientHeight];
    if (!width) return;
    if (canvas.width !== Math.round(width * ratio)) Object.assign(canvas, { width: width * ratio, height: height * ratio });
    const context = canvas.getContext("2d");
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, width, height);
    const css = getComputedStyle(canvas);
    const count = SHOWN[1] - SHOWN[0] + 1;
    const x = (exponent) => ((clamp(exponent, SHOWN[0], SHOWN[1] + 1) - SHOWN[0]) / count) * width;
    if (style.window) {
      const { smallest, normal, largest } = style.window;
      const shade = (from, to, alpha) => { context.globalAlpha = alpha; context.fillStyle = css.getPropertyValue("--gradient"); context.fillRect(x(from), 0, x(to) - x(from), height); };
      shade(smallest, Math.min(normal, largest + 1), 0.07);
      shade(Math.min(normal, largest + 1), largest + 1, 0.16);
      context.globalAlpha = 1;
    }
    const bars = new Float64Array(count);
    gradients.forEach((share, k) => { bars[clamp(low + k, ...SHOWN) - SHOWN[0]] += share; });
    const colours = { small: "--warning", subnormal: "--gradient", normal: "--gradient", large: "--error" };
    bars.forEach((share, k) => {
      if (!share) return;
      const zone = this.zone(SHOWN[0] + k, style);
      context.fillStyle = css.getPropertyValue(colours[zone]);
      context.globalAlpha = zone === "subnormal" ? 0.55 : 1;
      const tall = Math.max(Math.sqrt(Math.min(share / CEILING, 1)) * (height - 2), 1); // the root, so that few are seen too
      context.fillRect((k / count) * width + 0.5, height - tall, width / count - 1, tall);
    });
    context.globalAlpha = 1;
  }
}

// The axis of all histograms.
function exponentAxis() {
  const count = SHOWN[1] - SHOWN[0] + 1;
  const tick = (exponent) => html("span", { style: `left:${(100 * (exponent - SHOWN[0])) / count}%` }, "2", html("sup", {}, String(exponent).replace("-", "−")));
  return html("div", { class: "exponents", "aria-hidden": "true" }, ...[-30, -20, -10, 0, 10].map(tick));
}
