"""From formulas to machine code: generated Python source, compiled by numba, cached on disk."""
