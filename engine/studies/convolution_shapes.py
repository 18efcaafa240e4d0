"""The sizes of a convolution: one axis at a time, then all of them; and why some do not fit together."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

from engine.layout import Shape
from engine.studies.convolution_setup import MOST_DRAWN, ConvolutionSetup, Operation
from engine.studies.strides import numbers

MOST_WEIGHTS = 256
NAMES = {1: ("length",), 2: ("height", "width")}
FEWEST = {"size": 1, "kernel": 1, "stride": 1, "padding": 0, "dilation": 1, "output padding": 0}
MOST = {"size": 32, "kernel": 9, "stride": 8, "padding": 8, "dilation": 8, "output padding": 7}


@dataclass(frozen=True)
class Axis:
    """One dimension that windows slide along: lengths in elements, `name` as in the shape."""

    name: str
    size: int
    kernel: int
    stride: int
    padding: int
    dilation: int
    output_padding: int
    transposed: bool

    @property
    def extent(self) -> int:
        """Elements from the first that a kernel covers to its last, holes included."""
        return self.dilation * (self.kernel - 1) + 1

    @property
    def output(self) -> int:
        """Length of the output; below 1 where there is none. The formulas of PyTorch's Conv2d and
        ConvTranspose2d."""
        if self.transposed:
            full = (self.size - 1) * self.stride + self.extent
            return full - 2 * self.padding + self.output_padding
        return (self.size + 2 * self.padding - self.extent) // self.stride + 1

    @property
    def formula(self) -> str:
        """How the length of the output follows, with the numbers filled in."""
        reach = f"{self.dilation}·({self.kernel} − 1)"
        if self.transposed:
            tail = f" + {self.output_padding}" if self.output_padding else ""
            return f"({self.size} − 1)·{self.stride} − 2·{self.padding} + {reach}{tail} + 1 = {self.output}"
        return f"⌊({self.size} + 2·{self.padding} − {reach} − 1) / {self.stride}⌋ + 1 = {self.output}"

    @property
    def drawn(self) -> range:
        """Indices of the input that windows can reach: those outside are padding."""
        around = 0 if self.transposed else self.padding
        return range(-around, self.size + around)

    def require_fit(self, operation: Operation) -> None:
        """Raises ValueError that says what does not fit along this axis, and how to mend it."""
        if self.transposed:
            self._require_transposed_fit()
        elif self.extent > self.size + 2 * self.padding:
            needed = (self.extent - self.size + 1) // 2
            most = self.kernel // 2 if operation.endswith("pooling") else MOST["padding"]
            padding = f", or a padding of at least {needed}" if needed <= most else ""
            raise ValueError(
                f"kernel: along the {self.name} it spans {self.extent} elements and the padded input has "
                f"{self.size + 2 * self.padding}; use a smaller kernel or dilation{padding}"
            )
        elif operation.endswith("pooling") and 2 * self.padding > self.kernel:
            raise ValueError(
                f"padding: {self.padding} along the {self.name} is more than half of the kernel, "
                f"{self.kernel}: a window could lie outside altogether; use at most {self.kernel // 2}"
            )
        elif operation == "max pooling" and any(map(self._is_outside, range(self.output))):
            raise ValueError(
                f"dilation: along the {self.name} a whole window would lie in the padding, without a "
                f"largest element; use a smaller dilation or padding"
            )

    def _is_outside(self, output: int) -> bool:
        """Whether all that an element of the output reads lies in the padding."""
        first = output * self.stride - self.padding
        return not any(0 <= first + u * self.dilation < self.size for u in range(self.kernel))

    def _require_transposed_fit(self) -> None:
        if self.output_padding >= self.stride:
            raise ValueError(
                f"output padding: {self.output_padding} along the {self.name} must be smaller than the "
                f"stride, {self.stride}"
            )
        if self.output < 1:
            raise ValueError(
                f"padding: {self.padding} along the {self.name} cuts off all of the output; use at most "
                f"{self.padding - (2 - self.output) // 2}"
            )


@dataclass(frozen=True)
class Plan:
    """All sizes: input [in_channels, *size], output [out_channels, *output]; there is no batch.

    weight   [out_channels, in_channels/groups, *kernel] of a convolution, [in_channels,
             out_channels/groups, *kernel] of a transposed one; of a pooling the window alone, [*kernel]
    """

    operation: Operation
    axes: tuple[Axis, ...]
    in_channels: int
    out_channels: int
    groups: int

    @property
    def input_shape(self) -> Shape:
        return (self.in_channels, *(axis.size for axis in self.axes))

    @property
    def output_shape(self) -> Shape:
        return (self.out_channels, *(axis.output for axis in self.axes))

    @property
    def weight_shape(self) -> Shape:
        kernel = tuple(axis.kernel for axis in self.axes)
        if self.operation == "convolution":
            return (self.out_channels, self.in_channels // self.groups, *kernel)
        if self.operation == "transposed":
            return (self.in_channels, self.out_channels // self.groups, *kernel)
        return kernel

    def each(self, what: str) -> tuple[int, ...]:
        """One of the numbers of all axes, "stride" for instance."""
        return tuple(getattr(axis, what) for axis in self.axes)


def read_plan(setup: ConvolutionSetup, input_shape: Shape) -> Plan:
    """The sizes for an input [channels, *size]. Raises ValueError that names the axis and the fix."""
    rank, transposed = setup.rank, setup.operation == "transposed"
    read = {
        "kernel": per_dimension("kernel", setup.kernel, rank),
        "stride": per_dimension("stride", setup.stride, rank),
        "padding": per_dimension("padding", setup.padding, rank),
        "dilation": per_dimension("dilation", setup.dilation, rank),
        "output_padding": per_dimension("output padding", setup.output_padding, rank),
    }
    if setup.operation == "average pooling":
        read["dilation"] = (1,) * rank
    if not transposed:
        read["output_padding"] = (0,) * rank
    axes = tuple(
        Axis(name, input_shape[1 + k], transposed=transposed, **{key: each[k] for key, each in read.items()})
        for k, name in enumerate(NAMES[rank])
    )
    channels = input_shape[0]
    if setup.pools:
        plan = Plan(setup.operation, axes, channels, channels, 1)
    else:
        _require_groups(setup.groups, {"input": channels, "output": setup.out_channels})
        plan = Plan(setup.operation, axes, channels, setup.out_channels, setup.groups)
    for axis in axes:
        axis.require_fit(setup.operation)
    _require_room(plan)
    return plan


def per_dimension(what: str, text: str, rank: int) -> tuple[int, ...]:
    """A number for each of `rank` dimensions, where one stands for all. Raises ValueError."""
    found = numbers(what, text)
    if len(found) not in (1, rank):
        wanted = "one number is" if rank == 1 else f"one number, or {rank}, are"
        raise ValueError(f"{what}: {wanted} wanted, this is {len(found)}")
    found = found * rank if len(found) < rank else found
    for name, number in zip(NAMES[rank], found, strict=True):
        if not FEWEST[what] <= number <= MOST[what]:
            raise ValueError(
                f"{what}: {number} along the {name} is not possible here; from {FEWEST[what]} to {MOST[what]}"
            )
    return found


def _require_groups(groups: int, channels: dict[str, int]) -> None:
    for side, count in channels.items():
        if count % groups:
            possible = " or ".join(str(n) for n in range(1, count + 1) if count % n == 0)
            raise ValueError(
                f"groups: axis 0 of the {side} has {count} channels, which do not divide into {groups} "
                f"groups; choose {possible} groups, or {groups * (count // groups + 1)} channels"
            )


def _require_room(plan: Plan) -> None:
    drawn = plan.in_channels * prod(len(axis.drawn) for axis in plan.axes)
    for what, count, most in (
        ("padded input", drawn, MOST_DRAWN),
        ("output", prod(plan.output_shape), MOST_DRAWN),
        ("kernel", prod(plan.weight_shape), MOST_WEIGHTS),
    ):
        if count > most:
            raise ValueError(
                f"the {what} has {count:,} elements, at most {most:,} are drawn; make it smaller"
            )
