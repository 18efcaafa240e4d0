"""Optimizer: which parameters are updated with which options, and what is remembered about each.

A subclass writes `update`: how a parameter moves along its gradient; `numbers`, which that needs besides
tensors; and `start`, what is remembered about a parameter before its first update.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, ClassVar

from engine.context import assume, enable_grad, looked_up, no_grad
from engine.operations.inplace import write
from engine.optim import rules
from engine.primitive import Primitive
from engine.tensor import Tensor

Options = dict[str, Any]  # lr, momentum …; in a group also "params"
State = dict[str, Any]  # tensors of the parameter's shape, and numbers
Parameters = Iterable[Tensor] | Iterable[Options]


class Optimizer:
    """Base of all optimisers.

    params    tensors, or dictionaries {"params": tensors, option: value, …}, which set options for a group
    defaults  the options of groups that do not set them

    `param_groups` is the list of groups, `state` what is remembered for each parameter.
    """

    counts: ClassVar[bool] = True  # whether the numbers of an update depend on how many came before

    def __init__(self, params: Parameters, defaults: Options) -> None:
        if isinstance(params, Tensor):
            raise TypeError("an optimizer takes a list of tensors, and this is a single one: write [tensor]")
        self.defaults = defaults
        self.state: defaultdict[Tensor, State] = defaultdict(dict)
        self.param_groups: list[Options] = []
        listed: list[Any] = list(params)
        if not listed:
            raise ValueError("an optimizer needs at least one parameter, and the list is empty")
        for group in listed if isinstance(listed[0], dict) else [{"params": listed}]:
            self.add_param_group(group)

    def add_param_group(self, param_group: Options) -> None:
        """Update more tensors from now on, with options of their own."""
        members = param_group["params"]
        members = [members] if isinstance(members, Tensor) else list(members)
        known = set(self._parameters())
        for member in members:
            if not isinstance(member, Tensor):
                raise TypeError(f"an optimizer updates tensors, and this is a {type(member).__name__}")
            if not member.is_leaf:
                raise ValueError("only leaves can be updated, and this tensor was computed from others")
            if member in known:
                raise ValueError("a tensor is in two parameter groups, or twice in one")
            known.add(member)
        self.param_groups.append({**self.defaults, **param_group, "params": members})

    def _parameters(self) -> list[Tensor]:
        return [member for group in self.param_groups for member in group["params"]]

    # ---- one step

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients: None, or zeros."""
        for parameter in self._parameters():
            if set_to_none:
                parameter.grad = None
            elif parameter.grad is not None:
                parameter.grad.detach().zero_()

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Update every parameter that has a gradient.

        `closure`, if given, computes the loss and its gradients afresh; its result is returned.
        """
        loss = None
        if closure is not None:
            with enable_grad():
                loss = closure()
        assume(self._fixed_options)
        with no_grad():
            for group in self.param_groups:
                shared = None if self.counts else looked_up(partial(self.numbers, {}, group))
                for parameter in group["params"]:
                    # as `backward` left it: `grad` would first copy it, for others to write to
                    gradient = parameter.cotangent
                    if gradient is not None:
                        gradient = gradient.contiguous()  # it may be a view, and is read several times
                        if group.get("maximize"):
                            gradient = -gradient
                        self._update(parameter, gradient, group, shared)
        return loss

    def _fixed_options(self) -> list[Options]:
        """The options that a compiled step cannot do without; learning rates are among its numbers."""
        return [{**group, "lr": None, "params": len(group["params"])} for group in self.param_groups]

    def _update(
        self, parameter: Tensor, gradient: Any, group: Options, shared: tuple[float, ...] | None
    ) -> None:
        state = self.state[parameter]
        if not state:
            state.update(self.start(parameter, group))
        numbers = shared if shared is not None else looked_up(partial(self.numbers, state, group))
        self.update(parameter, gradient, state, group, *numbers)

    def start(self, parameter: Tensor, group: Options) -> State:
        """What is remembered about a parameter before its first update."""
        return {}

    def numbers(self, state: State, group: Options) -> tuple[float, ...]:
        """The numbers of the next update; counts it in the state, if need be.

        A compiled step asks for them in each call: what depends on options or counts must come from here.
        """
        return ()

    def update(self, parameter: Tensor, gradient: Any, state: State, group: Options, *numbers: float) -> None:
        """Move one parameter along its gradient (a tensor or plain array, only to be read), in place."""
        raise NotImplementedError

    # ---- saving and loading

    def state_dict(self) -> dict[str, Any]:
        """The options of all groups and the state of all parameters, which are numbered in order.

        The tensors are those in use, not copies.
        """
        numbers = {parameter: number for number, parameter in enumerate(self._parameters())}
        groups = [
            {**group, "params": [numbers[member] for member in group["params"]]}
            for group in self.param_groups
        ]
        state = {numbers[parameter]: dict(state) for parameter, state in self.state.items()}
        return {"state": state, "param_groups": groups}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over options and state (copied) from `state_dict()` of an optimizer with equal groups."""
        saved = state_dict["param_groups"]
        sizes = [[len(group["params"]) for group in groups] for groups in (self.param_groups, saved)]
        if sizes[0] != sizes[1]:
            raise ValueError(f"the saved parameter groups have {sizes[1]} members, and those here {sizes[0]}")
        numbers = [number for group in saved for number in group["params"]]
        self.state.clear()
        for number, parameter in zip(numbers, self._parameters(), strict=True):
            for name, value in state_dict["state"].get(number, {}).items():
                self.state[parameter][name] = _copied_like(parameter, value)
        for group, options in zip(self.param_groups, saved, strict=True):
            group.update({name: value for name, value in options.items() if name != "params"})


def _copied_like(parameter: Tensor, value: Any) -> Any:
    """A saved value; a tensor as a copy in the parameter's dtype and on its backend."""
    return value.to(parameter.dtype, parameter.device).clone() if isinstance(value, Tensor) else value


def overwrite(target: Tensor, rule: Primitive, *operands: Any) -> None:
    """target[…] = rule(operands), in place and in one pass."""
    write(target, rule, operands)


def with_weight_decay(gradient: Any, parameter: Tensor, rate: float) -> Any:
    """The gradient of the loss plus ½ · rate · Σ parameter²."""
    if rate == 0:
        return gradient
    return rules.weight_decay.on_arrays((gradient.array, parameter.array, rate))


def check_options(**ranges: tuple[float, float, float]) -> None:
    """Raise ValueError unless lowest ≤ value < limit for each option, given as (value, lowest, limit)."""
    for name, (value, lowest, limit) in ranges.items():
        if not lowest <= value < limit:
            raise ValueError(f"{name} must be at least {lowest} and below {limit}, and {value} was given")
