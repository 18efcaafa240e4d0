// A net on a grid of points, from the numbers in a frame. Only pictures are made of this: what is told comes
// from the engine.

const FEATURE = {
  x1: (x) => x,
  x2: (_, y) => y,
  "x1^2": (x) => x * x,
  "x2^2": (_, y) => y * y,
  "x1*x2": (x, y) => x * y,
  "sin(x1)": (x) => Math.sin(x),
  "sin(x2)": (_, y) => Math.sin(y),
  "cos(x1)": (x) => Math.cos(x),
  "cos(x2)": (_, y) => Math.cos(y),
};

// Abramowitz & Stegun 7.1.26: within 1.5e-7 of the error function.
function erf(x) {
  const t = 1 / (1 + 0.3275911 * Math.abs(x));
  const rest = ((((1.061405429 * t - 1.453152027) * t + 1.421413741) * t - 0.284496736) * t + 0.254829592) * t;
  return Math.sign(x) * (1 - rest * Math.exp(-x * x));
}

const ACTIVATION = {
  tanh: Math.tanh,
  relu: (x) => (x < 0 ? 0 : x), // so that NaN stays NaN
  sigmoid: (x) => 1 / (1 + Math.exp(-x)),
  linear: (x) => x,
  gelu: (x) => 0.5 * x * (1 + erf(x / Math.SQRT2)),
  sin: Math.sin,
  "half tanh": (x) => Math.tanh(x / 2),
};

// Where the parameters of each layer lie in a row; the output is the last layer.
function layersOf(shape) {
  let at = FIGURES.length;
  let fanIn = shape.inputs.length;
  const layers = [...shape.layers, { units: 1, activation: shape.output, norm: false, skips: false }];
  return layers.map((layer) => {
    const weight = at;
    const bias = weight + layer.units * fanIn;
    const factor = bias + layer.units;
    at = factor + (layer.norm ? 2 * layer.units : 0);
    const placed = { ...layer, fanIn, weight, bias, factor, summand: factor + layer.units };
    fanIn = layer.units;
    return placed;
  });
}

// Values of single inputs or units in some places of the plane.
class Places {
  constructor(places) {
    this.places = places;
    this.count = places.length;
    this.features = {};
  }

  feature(name) {
    this.features[name] ??= Float32Array.from(this.places, ([x, y]) => FEATURE[name](x, y));
    return this.features[name];
  }

  // For every layer, the values of each of its units.
  forward(layers, inputs, row) {
    let values = inputs.map((name) => this.feature(name));
    return layers.map((layer) => {
      const skipped = layer.skips ? values : undefined;
      values = Array.from({ length: layer.units }, (_, unit) => this.unit(layer, unit, values, row, skipped?.[unit]));
      return values;
    });
  }

  unit({ weight, bias, factor, summand, norm, fanIn, activation }, unit, inputs, row, skipped) {
    const out = new Float32Array(this.count).fill(row[bias + unit]);
    for (let i = 0; i < fanIn; i += 1) {
      const w = row[weight + unit * fanIn + i];
      const input = inputs[i];
      for (let k = 0; k < out.length; k += 1) out[k] += w * input[k];
    }
    const activate = ACTIVATION[activation];
    const scale = norm ? row[factor + unit] : 1;
    const shift = norm ? row[summand + unit] : 0;
    for (let k = 0; k < out.length; k += 1) out[k] = activate(out[k] * scale + shift) + (skipped ? skipped[k] : 0);
    return out;
  }
}

// A square grid, row by row from the top left.
class Grid extends Places {
  constructor(size, [low, high]) {
    const at = (k) => low + ((k + 0.5) / size) * (high - low);
    super(Array.from({ length: size * size }, (_, k) => [at(k % size), at(size - 1 - Math.floor(k / size))]));
    this.size = size;
  }
}
