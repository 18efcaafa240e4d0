"""Read, add and write as one indivisible step: what a loop needs where threads share a counter.

numba has none on a processor, so this is the instruction itself, by way of LLVM.
"""

from __future__ import annotations

from typing import Any

from numba import types
from numba.extending import intrinsic


@intrinsic  # type: ignore[untyped-decorator]
def atomic_add(_typing: Any, array: Any, place: Any, _amount: Any) -> Any:
    """Within a compiled function: array[place] += amount at once, of int64 [n]; returns what was there."""

    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        memory, at, added = arguments
        data = context.make_array(signature.args[0])(context, builder, memory).data
        return builder.atomic_rmw("add", builder.gep(data, [at]), added, "seq_cst")

    if array != types.Array(types.int64, 1, "C") or not isinstance(place, types.Integer):
        return None  # numba then says that the types do not fit
    return types.int64(array, types.int64, types.int64), code
