"""Why does it not learn? Ten faults that can be planted in a training run, and what finds each of them."""
