// Building elements, drawing icons, printing numbers: the small tools every other part uses.

const SVG = "http://www.w3.org/2000/svg";
const MATHML = "http://www.w3.org/1998/Math/MathML";

function fillIn(element, attributes, children) {
  for (const [key, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(key.slice(2), value);
    else if (value !== undefined && value !== false) element.setAttribute(key, value === true ? "" : value);
  }
  element.append(...children);
  return element;
}
const html = (name, attributes = {}, ...children) => fillIn(document.createElement(name), attributes, children);
const svg = (name, attributes = {}, ...children) => fillIn(document.createElementNS(SVG, name), attributes, children);
const math = (name, attributes = {}, ...children) => fillIn(document.createElementNS(MATHML, name), attributes, children);

// Text in which code stands between backquotes.
const quoted = (text) => text.split("`").map((piece, k) => (k % 2 ? html("code", {}, piece) : piece));

// Our own icons on a 20 x 20 grid, drawn as strokes in the colour of the text.
const ICONS = {
  first: "M5 4.5v11M15 4.8 8.6 10l6.4 5.2z",
  previous: "M12.8 4.6 7 10l5.8 5.4",
  play: "M6.5 4.2v11.6L15.6 10z",
  pause: "M7 4.8v10.4M13 4.8v10.4",
  next: "M7.2 4.6 13 10l-5.8 5.4",
  last: "M15 4.5v11M5 4.8l6.4 5.2L5 15.2z",
  zoomIn: "M10 5v10M5 10h10",
  zoomOut: "M5 10h10",
  fit: "M3.5 7.5v-4h4M12.5 3.5h4v4M16.5 12.5v4h-4M7.5 16.5h-4v-4M7.5 8h5v4h-5z",
  follow: "M10 5.6a4.4 4.4 0 1 0 0 8.8a4.4 4.4 0 0 0 0-8.8zM10 2.2v3M10 14.8v3M2.2 10h3M14.8 10h3",
  link: "M8.4 11.6a3 3 0 0 0 4.3 0l3-3a3 3 0 0 0-4.3-4.3l-1 1M11.6 8.4a3 3 0 0 0-4.3 0l-3 3a3 3 0 0 0 4.3 4.3l1-1",
  download: "M10 3.5v8.6M6.4 8.8 10 12.4l3.6-3.6M4 16.2h12",
  close: "M5.5 5.5l9 9M14.5 5.5l-9 9",
  tick: "M4.5 10.6l3.6 3.6 7.4-8.2",
  cross: "M6 6l8 8M14 6l-8 8",
};
const FILLED = new Set(["play", "first", "last"]);

function icon(name) {
  const path = svg("path", { d: ICONS[name], class: FILLED.has(name) ? "filled" : undefined });
  return svg("svg", { class: "icon", viewBox: "0 0 20 20", "aria-hidden": "true" }, path);
}

function iconButton(name, label, action, attributes = {}) {
  return html("button", { type: "button", class: "icon-button", "aria-label": label, title: label,
    onclick: action, ...attributes }, icon(name));
}

// JSON has no NaN or infinity: they arrive as words, which Number understands. Absent stays undefined.
const decode = (number) => (number === undefined || number === null ? undefined : Number(number));

// Every number on screen: 4 significant digits, whole numbers whole, a true minus sign, never -0.
function format(value, digits = 4) {
  if (Number.isNaN(value)) return "NaN";
  if (!Number.isFinite(value)) return value > 0 ? "∞" : "−∞";
  const size = Math.abs(value);
  let text;
  if (size === 0) text = "0";
  else if (size < 1e-3 || size >= 1e6 || (size >= 1e5 && !Number.isInteger(size))) {
    const [mantissa, exponent] = size.toExponential(digits - 1).split("e");
    text = `${Number(mantissa)}e${Number(exponent)}`;
  } else if (Number.isInteger(size)) text = String(size);
  else text = String(Number(size.toPrecision(Math.max(digits, Math.floor(Math.log10(size)) + 1))));
  return (value < 0 ? "−" : "") + text.replace("e-", "e−");
}

const clamp = (value, low, high) => Math.min(Math.max(value, low), high);
const reducedMotion = () => matchMedia("(prefers-reduced-motion: reduce)").matches;
