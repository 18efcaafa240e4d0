"""The closed forms of a systolic array: how many cycles a product takes, and how much of the array works.

A stream of length S that enters an array of R rows and C columns one row later for each row reaches the last
element after (R − 1) + (C − 1) steps, so that the last of its S products is done in cycle S + R + C − 2
(Kung and Leiserson 1978).
"""

from __future__ import annotations

from dataclasses import dataclass

from engine.studies.accelerators_setup import Dataflow, Loading


@dataclass(frozen=True)
class Workload:
    """A product X [batch × inputs] · W [inputs × outputs] on an array of rows × columns elements."""

    batch: int
    inputs: int
    outputs: int
    rows: int
    columns: int
    dataflow: Dataflow = "weight-stationary"
    loading: Loading = "not counted"

    @property
    def keeps_weights(self) -> bool:
        return self.dataflow == "weight-stationary"

    @property
    def stream(self) -> int:
        """What passes through a tile, one a cycle: examples, or the terms of the sums that stay."""
        return self.batch if self.keeps_weights else self.inputs

    @property
    def tiles(self) -> int:
        """Tiles of what stays: of W, or of Y."""
        down = self.inputs if self.keeps_weights else self.batch
        return -(-down // self.rows) * -(-self.outputs // self.columns)

    @property
    def pass_cycles(self) -> int:
        """Cycles of one tile from the first product to the last: S + R + C − 2."""
        return self.stream + self.rows + self.columns - 2

    @property
    def cycles(self) -> int:
        """Cycles of all tiles; loading takes a cycle for each row of the array."""
        if not self.keeps_weights or self.loading == "not counted":
            return self.tiles * self.pass_cycles
        if self.loading == "before each tile":
            return self.tiles * (self.rows + self.pass_cycles)
        return self.rows + (self.tiles - 1) * max(self.stream, self.rows) + self.pass_cycles

    @property
    def products(self) -> int:
        return self.batch * self.inputs * self.outputs

    def utilisation(self, cycles: int) -> float:
        """The share of the elements' cycles in which they did a product that was asked for."""
        return self.products / (self.rows * self.columns * cycles)

    @property
    def activation_reads(self) -> int:
        """Activations that enter the array: each once for every tile across, or (sums stay) the same."""
        return self.batch * self.inputs * -(-self.outputs // self.columns)

    @property
    def weight_reads(self) -> int:
        """Weights that enter the array: each once, or (sums stay) once for every tile down."""
        return self.inputs * self.outputs * (1 if self.keeps_weights else -(-self.batch // self.rows))

    @property
    def sum_updates(self) -> int:
        """Sums that leave the array: with weights that stay one for every tile down, to be added up."""
        return self.batch * self.outputs * (-(-self.inputs // self.rows) if self.keeps_weights else 1)
