"""The autodiff puzzles in words: the function, and hints that give away more from step to step."""

from __future__ import annotations

from engine.puzzles.puzzle import Text

SAME_PLACE = "`o == i` is 1 where the two places are the same, and 0 elsewhere."

TEXTS: dict[str, Text] = {
    "d_identity": Text(
        "identity",
        ("x",),
        "`f = x`, of a single number `x`.",
        (
            "When `x` moves by a little, by how much does `f` move?",
            "By just as much: the answer is a constant.",
        ),
    ),
    "d_cos": Text(
        "cosine",
        ("x",),
        "`f = cos(x)`, of a single number `x`.",
        (
            "The slope of the cosine is 0 at 0, and then falls.",
            "The derivative of cos is a sine; mind the sign.",
        ),
    ),
    "d_mean": Text(
        "mean",
        ("x",),
        "`f` is the mean of all numbers of the vector `x`.",
        (
            "Every number has the same share in the mean.",
            "How large is the share of one of `x.shape[0]` numbers?",
        ),
    ),
    "d_product": Text(
        "product",
        ("x",),
        "`f` is the product of all numbers of the vector `x`. None of them is 0.",
        (
            "With all other numbers held still, `f` is `x[i]` times a constant. Which one?",
            "The product of the others is `f`, the value of the function, without its factor `x[i]`.",
        ),
    ),
    "d_repeat": Text(
        "repeat",
        ("x", "n"),
        "`f[o] = x`: a single number, `n` times.",
        (
            "Each element of `f` is an identity.",
            "The answer is broadcast to all `o`: a constant will do.",
        ),
    ),
    "d_repeat_scaled": Text(
        "scaled repeat",
        ("x", "n"),
        "`f[o] = x * o / 10`: a single number, `n` times, each time scaled by its place.",
        (
            "For one `o`, `f[o]` is `x` times a constant.",
            "`o` may be used as a number.",
        ),
    ),
    "d_negation": Text(
        "negation",
        ("x",),
        "`f[o] = -x[o]`.",
        (
            "`f[o]` depends on `x[i]` only where `i` is `o`.",
            SAME_PLACE,
        ),
    ),
    "d_relu": Text(
        "ReLU",
        ("x",),
        "`f[o] = x[o]` where that is above 0, and else 0. No element of `x` is 0 itself.",
        (
            SAME_PLACE,
            "Where `x` is below 0, `f` does not move at all: a second comparison, multiplied with the first.",
        ),
    ),
    "d_tail": Text(
        "tail",
        ("x",),
        "`f = x[2:]`: the first two elements are left out.",
        (
            "`f[0]` is `x[2]`, `f[1]` is `x[3]`.",
            "Which `i` belongs to `o`? Compare it with `i`.",
        ),
    ),
    "d_cumsum": Text(
        "running sum",
        ("x",),
        "`f[o] = (x[0] + … + x[o]) / 20`.",
        (
            "`x[i]` is part of `f[o]` where `i` is not beyond `o`.",
            "A comparison that is 1 there, divided by 20.",
        ),
    ),
    "d_running_mean": Text(
        "running mean",
        ("x",),
        "`f[o] = (x[o] + x[o + 1] + x[o + 2]) / 3`.",
        (
            "`x[i]` is part of `f[o]` for three neighbouring `i`.",
            "Two comparisons, multiplied: `i` from `o` on, and below `o + 3`.",
        ),
    ),
    "d_sort": Text(
        "sort",
        ("x",),
        "`f` is `x` in ascending order. No two numbers are the same.",
        (
            "Each `f[o]` is one of the `x[i]`, and moves with it alone.",
            "Which one? That with the same value: `f` may be used in the answer, as `f[o]`.",
        ),
    ),
    "d_average": Text(
        "average",
        ("x", "y"),
        "`f[o] = (x[o] + y[o]) / 2`.",
        (
            SAME_PLACE,
            "Half of what `x[o]` moves arrives in `f[o]`; with `y` it is the same.",
        ),
    ),
    "d_multiplication": Text(
        "times",
        ("x", "y"),
        "`f[o] = x[o] * y[o]`.",
        (
            SAME_PLACE,
            "With `y` held still, `f[o]` is `x[o]` times a constant: use `y[o]` or `y[i]`.",
        ),
    ),
    "d_convolution": Text(
        "convolution",
        ("x", "y"),
        "`f[o] = (x[o] * y[0] + x[o + 1] * y[1] + …) / k`: the kernel `y`, of length `k = y.shape[0]`, "
        "slides over `x` as far as it fits.",
        (
            "For `y`: in `f[o]`, `y[i]` is multiplied by the `x` that is `i` places after `o`.",
            "For `x`: `x[i]` meets the weight `y[i - o]`, if there is one: `i` from `o` on, below `o + k`.",
            "An index has to be valid where it does not count, too: `(i - o) % y.shape[0]` always is.",
        ),
    ),
    "d_view": Text(
        "view",
        ("x",),
        "`f` is the matrix `x` as one vector, row after row.",
        (
            "At which place of `f` does `x[i, j]` arrive? `i` whole rows lie before it, and `j` elements.",
            "Compare that place with `o`; a row has `x.shape[1]` elements.",
        ),
    ),
    "d_transpose": Text(
        "transpose",
        ("x",),
        "`f[o, p] = x[p, o]`.",
        (
            "`f[o, p]` moves with one element of `x` alone: two comparisons, multiplied.",
            "The row `i` of `x` is the column `p` of `f`.",
        ),
    ),
    "d_mean_of_rows": Text(
        "row means",
        ("x",),
        "`f[o]` is the mean of row `o` of the matrix `x`.",
        (
            "`x[i, j]` is part of `f[o]` where its row is `o`; the column does not matter.",
            "Its share is that of one of `x.shape[1]` numbers.",
        ),
    ),
    "d_matmul": Text(
        "matmul",
        ("x", "y"),
        "`f = x @ y`: `f[o, p]` is the sum of `x[o, k] * y[k, p]` over all `k`.",
        (
            "For `x`: `x[i, j]` is part of row `o` only if `i` is `o`. Which number of `y` does it meet in "
            "column `p`?",
            "For `y`: `y[i, j]` is part of column `p` only if `j` is `p`; in row `o` it meets `x[o, i]`.",
        ),
    ),
    "d_convolution_2d": Text(
        "conv 2-D",
        ("x", "y"),
        "`f[o, p]` is the sum of `x[o + r, p + c] * y[r, c] / 4` over the 2 by 2 kernel `y`; "
        "beyond the edges of `x` there are zeros, so `f` is as large as `x`.",
        (
            "For `x`: it is the convolution of a vector, once along rows (`o`, `i`) and once along columns "
            "(`p`, `j`).",
            "`x[i, j]` meets `y[i - o, j - p]`, where both are 0 or 1; `% 2` keeps the index valid.",
            "For `y`: `y[i, j]` meets `x[o + i, p + j]`, if that is inside; `%` keeps the index valid, and "
            "two comparisons say whether it counts.",
        ),
    ),
}
