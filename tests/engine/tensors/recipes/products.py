"""Steps that multiply matrices: all combinations of ranks, and Einstein summation."""

from __future__ import annotations

from tests.engine.tensors.builder import Builder, Known, Rejected

LETTERS = "abcdefgh"


def any_rank(b: Builder) -> None:
    """a @ b for vectors, matrices and batches that broadcast; the other operand is found or a new leaf."""
    a = b.operand(lambda x: x.ndim > 0)
    inner = a.shape[-1]
    try:
        if b.chance(0.4):
            raise Rejected
        other = b.operand(lambda y: _fits(a, y))
    except Rejected:
        columns = [] if b.chance(0.2) else [b.random.randint(1, 4)]
        batch = [n if b.chance(0.6) else 1 for n in a.shape[:-2]] if columns else []
        batch = batch[b.random.randint(0, len(batch)) :]
        if columns and a.ndim <= 2 and b.chance(0.2):
            batch = [b.random.randint(1, 3)]
        other = b.leaf([*batch, inner, *columns])
    b.call("matmul", a, other, forms="fmo")


def _fits(a: Known, y: Known) -> bool:
    if y.ndim == 0 or a.shape[-1] != (y.shape[-2] if y.ndim > 1 else y.shape[0]):
        return False
    pairs = zip(reversed(a.shape[:-2]), reversed(y.shape[:-2]), strict=False)
    return all(n == m or 1 in (n, m) for n, m in pairs)


def transposed_operand(b: Builder) -> None:
    """Products of a tensor with its own transpose, which is a view of the same storage."""
    x = b.operand(lambda x: x.ndim >= 2)
    turned = b.call("mT", x, forms="p")
    b.call("matmul", *b.random.choice(((x, turned), (turned, x))), forms="fmo")


def fixed_rank(b: Builder) -> None:
    way = b.random.randrange(4)
    rank = (2, 3, 1, 1)[way]
    a = b.operand(lambda x: x.ndim == rank)
    if way == 0:
        b.call("mm", a, b.leaf((a.shape[1], b.random.randint(1, 4))))
    elif way == 1:
        b.call("bmm", a, b.leaf((a.shape[0], a.shape[2], b.random.randint(1, 3))))
    elif way == 2:
        b.call("dot", a, b.operand(lambda y: y.shape == a.shape))
    else:
        b.call("outer", a, b.operand(lambda y: y.ndim == 1 and y.numel <= 12))


def einstein(b: Builder) -> None:
    """Two operands: letters shared, summed, kept or alone, in any order; the right side given or not."""
    a = b.operand(lambda x: 0 < x.ndim <= 4)
    left = LETTERS[: a.ndim]
    shared = [letter for letter in left if b.chance(0.5)]
    lengths = dict(zip(left, a.shape, strict=True))
    new = LETTERS[a.ndim : a.ndim + b.random.randint(0, 2)]
    lengths |= {letter: b.random.randint(1, 3) for letter in new}
    right = b.random.sample([*shared, *new], len(shared) + len(new))
    other = b.leaf([lengths[letter] for letter in right])
    equation = f"{left},{''.join(right)}"
    if b.chance(0.8):
        every = sorted({*left, *right})
        kept = b.random.sample(every, b.random.randint(0, min(4, len(every))))
        equation += "->" + "".join(kept)
    b.call("einsum", equation, a, other, forms="f")


def einstein_alone(b: Builder) -> None:
    """One operand: dimensions reordered and summed, diagonals taken."""
    x = b.operand(lambda x: 0 < x.ndim <= 4)
    names = list(LETTERS[: x.ndim])
    same = [(i, j) for i in range(x.ndim) for j in range(i) if x.shape[i] == x.shape[j]]
    if same and b.chance(0.6):
        i, j = b.random.choice(same)
        names[i] = names[j]
    every = sorted(set(names))
    kept = b.random.sample(every, b.random.randint(0, len(every)))
    b.call("einsum", f"{''.join(names)} -> {''.join(kept)}", x, forms="f")


RECIPES = {any_rank: 8, transposed_operand: 2, fixed_rank: 3, einstein: 3, einstein_alone: 2}
