// Small pictures: grey for what is shown to the net, the colours of signs for what it computes.

// Values from 0 to 1 as grey on a canvas of as many pixels.
function paintGrey(canvas, values, width, dark) {
  const height = values.length / width;
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
  const context = canvas.getContext("2d");
  const image = context.createImageData(width, height);
  for (let k = 0; k < values.length; k += 1) {
    const level = Math.round(255 * clamp(dark ? values[k] : 1 - values[k], 0, 1));
    image.data.set([level, level, level, 255], 4 * k);
  }
  context.putImageData(image, 0, 0);
}

// The largest magnitude, so that pictures of different nets can be told apart from empty ones.
function reachOf(values) {
  let reach = 0;
  for (const value of values) reach = Math.max(reach, Math.abs(value));
  return reach;
}

// A part of values in the colours of their signs; `reach` is where a colour is full.
function paintSigns(canvas, values, size, scale, reach) {
  scale.paint(canvas, reach > 0 ? values.map((value) => value / reach) : values, size, false);
}

const picture = (attributes = {}) => html("canvas", { width: 1, height: 1, class: "picture", ...attributes });

// A digit with its article.
const one = (digit) => `${digit === 8 ? "an" : "a"} ${digit}`;
