"""The GPU puzzles: kernels that a reader writes, interpreted thread by thread, with every access noted."""
