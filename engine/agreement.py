"""How far two figures that should be the same are apart."""

import math


def difference(found: float, expected: float) -> float:
    """Relative difference, absolute below 1; 0 where both are the same infinity or both NaN.

    Infinite where only one of them is finite, so that a NaN never passes for agreement.
    """
    if found == expected or (math.isnan(found) and math.isnan(expected)):
        return 0.0
    error = abs(found - expected) / max(1.0, abs(expected))
    return error if math.isfinite(error) else math.inf
