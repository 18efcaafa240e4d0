// The loops once more, in the browser: which product comes when, as the simulation of the server went.

// [i, j, k] of every product; `order` names the loops within a block, the outermost first.
function productsOf(side, order, tile) {
  const products = [];
  const axes = [...order].map((name) => "ijk".indexOf(name));
  const blocks = Math.ceil(side / tile);
  for (let block = 0; block < blocks ** 3; block += 1) {
    const low = [Math.floor(block / blocks ** 2), Math.floor(block / blocks) % blocks, block % blocks].map((number) => number * tile);
    const high = low.map((start) => Math.min(start + tile, side));
    const index = [0, 0, 0];
    const [outer, middle, inner] = axes;
    for (index[outer] = low[outer]; index[outer] < high[outer]; index[outer] += 1) {
      for (index[middle] = low[middle]; index[middle] < high[middle]; index[middle] += 1) {
        for (index[inner] = low[inner]; index[inner] < high[inner]; index[inner] += 1) products.push([...index]);
      }
    }
  }
  return products;
}

// The element of a matrix that a product reads, as [row, column].
const elementOf = { a: ([i, , k]) => [i, k], b: ([, j, k]) => [k, j], out: ([i, j]) => [i, j] };
