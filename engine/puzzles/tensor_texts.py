"""The tensor puzzles in words: what is wanted, and hints that give away more from step to step."""

from __future__ import annotations

from engine.puzzles.puzzle import Text

TEXTS: dict[str, Text] = {
    "ones": Text(
        "ones(n)",
        ("n",),
        "A vector of `n` ones.",
        (
            "`arange(n)` is a vector of the right length: `0, 1, … n - 1`.",
            "A comparison gives 1 where it holds and 0 where it does not. Which one always holds?",
        ),
    ),
    "sum": Text(
        "sum(a)",
        ("a",),
        "The sum of all numbers of the vector `a`, as a vector of length 1.",
        (
            "`a @ b` of two vectors multiplies them pair by pair and adds the products up.",
            "Which vector leaves every `a[k]` as it is when they are multiplied? You have built it.",
            "The result of `a @ b` is a single number; `[None]` makes it a vector of length 1.",
        ),
    ),
    "outer": Text(
        "outer(a, b)",
        ("a", "b"),
        "The table of all products: row `r`, column `c` holds `a[r] * b[c]`.",
        (
            "`a[:, None]` is `a` as a column, and `b[None, :]` is `b` as a row.",
            "A column and a row broadcast to a table; multiply them.",
        ),
    ),
    "diag": Text(
        "diag(a)",
        ("a",),
        "The diagonal of the square matrix `a`: `a[0, 0], a[1, 1], …`",
        (
            "Two vectors of positions as an index, `a[rows, columns]`, take one element for each pair.",
            "On the diagonal both positions are the same: `0, 1, …` up to `a.shape[0]`.",
        ),
    ),
    "eye": Text(
        "eye(n)",
        ("n",),
        "The identity matrix, `n` by `n`: 1 on the diagonal and 0 elsewhere.",
        (
            "An element lies on the diagonal where its row and its column are the same.",
            "Compare `arange(n)` as a column with `arange(n)` as a row.",
        ),
    ),
    "triu": Text(
        "triu(n)",
        ("n",),
        "`n` by `n`, with 1 on the diagonal and to the right of it, and 0 to its left.",
        (
            "It is the comparison of rows with columns again, with another sign.",
            "To the right of the diagonal the row is smaller than the column.",
        ),
    ),
    "cumsum": Text(
        "cumsum(a)",
        ("a",),
        "The running sum: element `k` is `a[0] + … + a[k]`.",
        (
            "Every element of the result is a sum of products of `a` with ones and zeros: a matrix product.",
            "In `a @ m`, column `k` of `m` says which elements of `a` are added up in element `k`.",
            "Column `k` needs ones in its rows `0 … k`: you have built that matrix.",
        ),
    ),
    "diff": Text(
        "diff(a)",
        ("a",),
        "The step to each number from the one before: `a[k] - a[k - 1]`. The first is `a[0]` itself.",
        (
            "Element `k` wants the number to its left: an index of `arange(…) - 1`.",
            "What the index -1 takes at the start must not count: `where`, or a product with a comparison.",
        ),
    ),
    "vstack": Text(
        "vstack(a, b)",
        ("a", "b"),
        "A matrix of two rows: `a` above `b`. Both are of one length.",
        (
            "`arange(2)[:, None]` is a column of row numbers.",
            "`where(condition, p, q)` broadcasts all three; the condition is about the row alone.",
        ),
    ),
    "roll": Text(
        "roll(a)",
        ("a",),
        "All numbers moved one place to the left; the first one comes in at the end.",
        (
            "Element `k` is `a[k + 1]`: index with a vector.",
            "The last index is one too large; `%` brings it round to 0.",
        ),
    ),
    "flip": Text(
        "flip(a)",
        ("a",),
        "The vector backwards. (Slices here only go forwards.)",
        (
            "Element `k` is the one as far from the end as `k` is from the start.",
            "Index with `arange(n)` subtracted from the last position, `n - 1`.",
        ),
    ),
    "compress": Text(
        "compress(g, v)",
        ("g", "v"),
        "The numbers of `v` where `g` is 1, in order and moved to the left; zeros fill the rest. "
        "`g` holds only 0 and 1.",
        (
            "The place where `v[k]` goes is how many ones came in `g` before it.",
            "`cumsum(g) - 1` is that place, for the numbers that are kept.",
            "`(v * g) @ m`, where row `k` of `m` is 1 in the column of its place, brings them there.",
        ),
    ),
    "pad_to": Text(
        "pad_to(a, n)",
        ("a", "n"),
        "`a` at length `n`: cut off if it is longer, with zeros at its end if it is shorter.",
        (
            "A product with a matrix changes the length: `a @ m`, with `n` columns in `m`.",
            "Element `k` goes to place `k`: `m` is 1 where row and column are the same.",
        ),
    ),
    "sequence_mask": Text(
        "sequence_mask(values, length)",
        ("values", "length"),
        "The matrix `values` with zeros in row `r` from column `length[r]` on.",
        (
            "A number is kept where its column is smaller than the length of its row.",
            "Columns are `arange(values.shape[1])`; the lengths, one for each row, make a column.",
        ),
    ),
    "bincount": Text(
        "bincount(a, n)",
        ("a", "n"),
        "How often each of `0, 1, … n - 1` occurs in `a`: a vector of length `n`.",
        (
            "Compare every number of `a`, as a column, with every value, as a row.",
            "Adding up each column of that table is a product with ones: `ones(…) @ table`.",
        ),
    ),
    "scatter_add": Text(
        "scatter_add(values, link, n)",
        ("values", "link", "n"),
        "Each `values[k]` is added to element `link[k]` of a vector of `n` zeros.",
        (
            "It is bincount, with a value in place of each 1.",
            "Compare `link` as a column with the places `0 … n - 1` as a row; then a product with `values`.",
        ),
    ),
    "flatten": Text(
        "flatten(a)",
        ("a",),
        "The rows of the matrix `a`, one after another, as a vector.",
        (
            "Element `k` lies in row `k // columns`, and in column `k % columns`.",
            "Two vectors of positions as an index take one element for each pair.",
        ),
    ),
    "linspace": Text(
        "linspace(i, j, n)",
        ("i", "j", "n"),
        "`n` numbers at equal distances from `i` to `j`, both included. One number alone is `i`.",
        (
            "The distance between two neighbours is `(j - i) / (n - 1)`.",
            "Of one number alone that divides by 0: make the divisor at least 1, with `where`.",
        ),
    ),
    "heaviside": Text(
        "heaviside(a, b)",
        ("a", "b"),
        "1 where `a` is above 0, 0 where it is below, and where it is 0 the number of `b` there.",
        (
            "Two questions, one after the other: is it 0? Is it above 0?",
            "`where(a == 0, …, …)` answers the first; a comparison alone answers the second.",
        ),
    ),
    "repeat": Text(
        "repeat(a, n)",
        ("a", "n"),
        "A matrix of `n` rows, each of them `a`.",
        (
            "Rows that are all the same are what broadcasting makes.",
            "A column of `n` ones, multiplied with `a` as a row.",
        ),
    ),
    "bucketize": Text(
        "bucketize(v, boundaries)",
        ("v", "boundaries"),
        "For each number of `v`, how many of the ascending `boundaries` it has reached "
        "(is equal to or above).",
        (
            "Compare each number, as a column, with each boundary, as a row.",
            "Adding up along the rows of that table is a product with ones on the right.",
        ),
    ),
}
