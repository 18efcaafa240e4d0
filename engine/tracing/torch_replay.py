"""A torch operation done again: with its own arguments, its own random numbers, in float64 where it can."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

import numpy as np

from engine.tracing.tape import Numbers, norm


def tensors_in(arguments: Any) -> Iterator[Any]:
    """The tensors among arguments, also those within lists, tuples and dictionaries, in order."""
    import torch

    if isinstance(arguments, torch.Tensor):
        yield arguments
    elif isinstance(arguments, (list, tuple)):
        for each in arguments:
            yield from tensors_in(each)
    elif isinstance(arguments, Mapping):
        yield from tensors_in(list(arguments.values()))


def replaced(arguments: Any, stand_ins: Iterator[Any]) -> Any:
    """The same arguments with other tensors, taken in order."""
    import torch

    if isinstance(arguments, torch.Tensor):
        return next(stand_ins)
    if isinstance(arguments, tuple) and hasattr(arguments, "_fields"):
        return type(arguments)(*(replaced(each, stand_ins) for each in arguments))
    if isinstance(arguments, (list, tuple)):
        return type(arguments)(replaced(each, stand_ins) for each in arguments)
    if isinstance(arguments, Mapping):
        return {key: replaced(each, stand_ins) for key, each in arguments.items()}
    return arguments


def as_array(tensor: Any) -> Numbers:
    """A copy of a tensor's elements; what numpy has no type for becomes float32."""
    import torch

    tensor = tensor.detach()
    if tensor.is_sparse or tensor.is_quantized:
        tensor = tensor.to_dense() if tensor.is_sparse else tensor.dequantize()
    if tensor.dtype == torch.bfloat16:
        tensor = tensor.float()
    found: Numbers = tensor.resolve_conj().resolve_neg().cpu().numpy().copy()
    return found


class Surroundings:
    """What an operation depends on besides its arguments: where the random numbers were, on the processor and
    on the devices of its tensors, and automatic mixed precision."""

    def __init__(self, tensors: Sequence[Any]) -> None:
        import torch

        self.here = torch.random.get_rng_state()
        found = {each.device.index for each in tensors if each.is_cuda}
        self.devices = {device: torch.cuda.get_rng_state(device) for device in sorted(found)}
        kinds = ("cuda" if found else "cpu",)
        self.mixed = [(k, torch.get_autocast_dtype(k)) for k in kinds if torch.is_autocast_enabled(k)]

    @contextmanager
    def restored(self, mixed: bool) -> Iterator[None]:
        """The same again in this context, mixed precision if asked for; afterwards all is as before it."""
        import torch

        with ExitStack() as stack:
            stack.enter_context(torch.random.fork_rng(devices=list(self.devices)))
            torch.random.set_rng_state(self.here)
            for device, state in self.devices.items():
                torch.cuda.set_rng_state(state, device)
            for kind, dtype in self.mixed if mixed else ():
                stack.enter_context(torch.autocast(kind, dtype))
            yield


class TorchReplay:
    """A call of `function`. Copies of its tensors are taken now: later ones overwrite them.

    precise  whether doing it in float64 gives what the run had; found out at the first use
    """

    def __init__(
        self,
        function: Callable[..., Any],
        arguments: Any,
        options: Mapping[str, Any],
        surroundings: Surroundings,
        most: int,
    ) -> None:
        self.function = function
        given = list(tensors_in((arguments, options)))
        if sum(each.numel() for each in given) > most:
            raise ValueError(f"more than {most:,} elements")
        self.given = [each.detach().clone() for each in given]
        if any(each.is_complex() for each in given):
            raise ValueError("complex numbers are not checked")
        self.wanted = [each.requires_grad for each in given]
        self.arguments = replaced((arguments, dict(options)), iter(self.given))
        self.surroundings = surroundings
        self.precise: bool | None = None
        self.shapes: list[tuple[int, ...]] = []
        self.marks: list[float] = []

    def result(self, output: Any) -> None:
        """Note what the run had, to be told whether doing it again gives the same."""
        for each in tensors_in(output):
            self.shapes.append(tuple(each.shape))
            self.marks.append(_mark(each))

    def _call(self, given: list[Any], precise: bool) -> list[Any]:
        arguments, options = replaced(self.arguments, iter(given))
        with self.surroundings.restored(mixed=not precise):
            return list(tensors_in(self.function(*arguments, **options)))

    def _inputs(self, precise: bool) -> list[Any]:
        found = [each.double() if precise and each.is_floating_point() else each for each in self.given]
        return [each.clone() for each in found]

    def _is_precise(self) -> bool:
        import torch

        if self.precise is None:
            try:
                with torch.no_grad():
                    again = self._call(self._inputs(True), True)
                marks = [_mark(each) for each in again]
                self.precise = [tuple(each.shape) for each in again] == self.shapes and bool(
                    np.allclose(marks, self.marks, rtol=1e-3, atol=1e-3)
                )
            except (RuntimeError, TypeError, ValueError):  # some operations insist on a dtype
                self.precise = False
        return self.precise

    def outputs(self, changed: Mapping[int, Numbers]) -> list[Numbers]:
        """As `Replay` says; the results keep the dtype they are computed in."""
        import torch

        precise = self._is_precise()
        given = self._inputs(precise)
        for slot, numbers in changed.items():
            # in the same order in memory: random masks are drawn in that order
            given[slot] = torch.empty_like(given[slot]).copy_(torch.from_numpy(numbers))
        with torch.no_grad():
            return [as_array(each) for each in self._call(given, precise)]

    def vjp(self, cotangents: Sequence[Numbers | None]) -> list[Numbers | None]:
        """As `Replay` says, in the dtype of the run: the derivative that the run used."""
        import torch

        leaves = [
            each.clone().requires_grad_(wanted) for each, wanted in zip(self.given, self.wanted, strict=True)
        ]
        with torch.enable_grad():
            inputs = [leaf.clone() if leaf.requires_grad else leaf for leaf in leaves]
            outputs = self._call(inputs, False)
        pairs = [
            (out, torch.from_numpy(g).to(out))
            for out, g in zip(outputs, cotangents, strict=True)
            if g is not None and out.requires_grad
        ]
        asked = [leaf for leaf in leaves if leaf.requires_grad]
        found = iter(
            torch.autograd.grad([out for out, _ in pairs], asked, [g for _, g in pairs], allow_unused=True)
        )
        sent = [next(found) if leaf.requires_grad else None for leaf in leaves]
        return [None if each is None else as_array(each).astype(np.float64) for each in sent]


def _mark(tensor: Any) -> float:
    """One number that tells tensors apart: they, along a fixed direction, as a share of their size."""
    numbers = np.nan_to_num(as_array(tensor).astype(np.float64).reshape(-1))
    direction = np.random.default_rng(0).standard_normal(numbers.size)
    return float((numbers * direction).sum() / max(norm(numbers), 1e-12))
