// What the numbers of a row say about each lane: see engine/studies/few_bits_figures.py.

const LOWER = 0, MEDIAN = 1, UPPER = 2; // of what differs between seeds

function lanesOf(frame) {
  if (frame.lanes) return frame.lanes;
  const { row, shape: { layers, low, high, lanes } } = frame;
  let at = FIGURES.length;
  const take = (count) => row.subarray(at, (at += count));
  frame.lanes = lanes.map(() => ({
    trainLoss: take(3),
    testLoss: take(3),
    accuracy: take(3),
    lost: take(layers),
    scale: take(1)[0],
    skipped: take(1)[0],
    gradients: take(high - low + 1),
    zeros: take(1)[0],
    unknown: take(1)[0],
  }));
  return frame.lanes;
}

const percent = (share) => (Number.isNaN(share) ? "–" : `${(100 * share).toFixed(1)} %`);
// A small share that is not none is not written as none.
const roughly = (share) => (share > 0 && share < 0.001 ? "< 0.1 %" : percent(share));
const isDiverged = (lane) => !Number.isFinite(lane.testLoss[MEDIAN]);
