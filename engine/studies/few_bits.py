"""Training in few bits: one net trained side by side in several lanes, each with its own formats."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from engine.studies.few_bits_oracle import compared
from engine.studies.few_bits_run import Run, Still
from engine.studies.few_bits_setup import FewBitsSetup
from engine.studies.study import Check, Study

FRACTION_BITS = (14, 12, 10, 8, 6)
FIXED_POINT = "; ".join(
    ["fp32"]
    + [f"q{16 - places}.{places}" for places in FRACTION_BITS]
    + [f"q{16 - places}.{places} rounding=stochastic" for places in FRACTION_BITS]
)
BLOCKS = "; ".join(f"bfp4x{block} master=on" for block in (2, 8, 32, 128))

EXAMPLES = {
    "Seven formats": FewBitsSetup(),
    "16-bit fixed point": FewBitsSetup(lanes=FIXED_POINT),
    "… over 5 seeds": FewBitsSetup(lanes=FIXED_POINT, seeds=5),
    "Loss scaling": FewBitsSetup(
        lanes="fp32; fp32 gradients=fp8_e3m4; fp32 gradients=fp8_e3m4 scaling=16; "
        "fp32 gradients=fp8_e3m4 scaling=1000; fp32 gradients=fp8_e3m4 scaling=dynamic"
    ),
    "Master weights": FewBitsSetup(
        lanes="fp32; bf16; bf16 rounding=stochastic; bf16 master=on; fp8_e4m3fn; fp8_e4m3fn master=on",
        rate=0.01,
        optimiser="momentum",
    ),
    "Blocks": FewBitsSetup(lanes=f"fp32; {BLOCKS}; mxfp4_e2m1 master=on; mxfp8_e4m3 master=on", hidden="128"),
    "Narrow sums": FewBitsSetup(
        lanes="fp32; fp32 accumulator=fp16; fp32 accumulator=bf16; fp32 accumulator=fp8_e4m3fn; "
        "fp32 accumulator=fp8_e4m3fn rounding=stochastic"
    ),
    "MNIST": FewBitsSetup(
        data="MNIST",
        hidden="128",
        lanes="fp32; bf16; fp8_e4m3fn master=on; fp8_e4m3fn scaling=dynamic master=on; q8.8; "
        "q8.8 rounding=stochastic; mxfp8_e4m3 master=on",
    ),
}


@dataclass(frozen=True)
class FewBitsResult:
    """A run where it stands."""

    still: Still

    @property
    def setup(self) -> FewBitsSetup:
        return self.still.setup

    def summary(self) -> Mapping[str, float | int | str]:
        """Median accuracy on the test samples, by lane."""
        accuracies = {
            f"accuracy of {lane}": float(figures.accuracy[1])
            for lane, figures in zip(self.setup.each_lane, self.still.figures, strict=True)
        }
        return {"epoch": self.setup.epoch, **accuracies}

    def table(self) -> Mapping[str, Sequence[Any]]:
        """The curves: a row for each epoch and lane, with quartiles over the seeds."""
        columns: dict[str, list[Any]] = {name: [] for name in ("epoch", "lane")}
        for epoch, lanes in self.still.curve.items():
            for lane, figures in zip(self.setup.each_lane, lanes, strict=True):
                row = {"epoch": epoch, "lane": str(lane)}
                for name in ("train_loss", "test_loss", "accuracy"):
                    for quartile, value in zip(
                        ("lower", "median", "upper"), getattr(figures, name), strict=True
                    ):
                        row[f"{name.replace('_', ' ')}, {quartile}"] = float(value)
                for layer, share in enumerate(figures.lost, 1):
                    row[f"updates lost in layer {layer}"] = float(share)
                row["loss scale"] = figures.scale
                for name, value in row.items():
                    columns.setdefault(name, []).append(value)
        return columns


def run(setup: FewBitsSetup) -> FewBitsResult:
    """Train all lanes from the beginning to where the setup stands."""
    return FewBitsResult(Run(setup).still())


def check(result: FewBitsResult) -> list[Check]:
    """The loss curve of fp32 beside torch's, and stored weights beside the casts of ml_dtypes and numpy."""
    return compared(result.still)


STUDY = Study(
    name="few_bits",
    version=1,
    question="How few bits can a net be trained in?",
    setup=FewBitsSetup,
    run=run,
    check=check,
)
