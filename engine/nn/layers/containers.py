"""Containers: modules that hold others."""

# ruff: noqa: A002  (PyTorch calls the first argument `input`)

from __future__ import annotations

import operator
from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from typing import Any, Self, overload

from engine.nn.module import Module


class Container(Module):
    """Shared face of all: modules by name, in order."""

    def __init__(self, modules: Iterable[tuple[str, Module]]) -> None:
        super().__init__()
        for name, module in modules:
            self.add_module(name, module)

    def _held(self) -> dict[str, Module]:
        """Its modules; one that occurs twice is here twice."""
        return {name: value for name, value in vars(self).items() if isinstance(value, Module)}

    def __len__(self) -> int:
        return len(self._held())


class Ordered(Container):
    """Shared face of `Sequential` and `ModuleList`: modules by position."""

    def _name_of(self, index: int) -> str:
        names = list(self._held())
        position = operator.index(index)
        if not -len(names) <= position < len(names):
            raise IndexError(f"there is no module {position} in a {type(self).__name__} of {len(names)}")
        return names[position]

    def __iter__(self) -> Iterator[Module]:
        return iter(self._held().values())

    def __setitem__(self, index: int, module: Module) -> None:
        setattr(self, self._name_of(index), module)

    def append(self, module: Module) -> Self:
        """Add a module at the end; returns itself."""
        self.add_module(str(len(self)), module)
        return self


class Sequential(Ordered):
    """Modules one after another: each takes what the one before returns.

    `Sequential(a, b)` numbers them; `Sequential({"first": a, "second": b})` names them.
    """

    def __init__(self, *modules: Module | Mapping[str, Module]) -> None:
        first = modules[0] if len(modules) == 1 else None
        super().__init__(first.items() if isinstance(first, Mapping) else _numbered(modules))

    def forward(self, input: Any) -> Any:
        output = input
        for module in self:
            output = module(output)
        return output

    @overload
    def __getitem__(self, index: int) -> Module: ...
    @overload
    def __getitem__(self, index: slice) -> Sequential: ...
    def __getitem__(self, index: int | slice) -> Module:
        """One module, or several (not copied) as another Sequential."""
        if isinstance(index, slice):
            return Sequential(dict(list(self._held().items())[index]))
        return self._held()[self._name_of(index)]


class ModuleList(Ordered):
    """A list of modules, to be called by the module that owns it."""

    def __init__(self, modules: Iterable[Module] = ()) -> None:
        super().__init__(_numbered(modules))

    @overload
    def __getitem__(self, index: int) -> Module: ...
    @overload
    def __getitem__(self, index: slice) -> ModuleList: ...
    def __getitem__(self, index: int | slice) -> Module:
        """One module, or several (not copied) as another ModuleList."""
        if isinstance(index, slice):
            return ModuleList(list(self)[index])
        return self._held()[self._name_of(index)]

    def extend(self, modules: Iterable[Module]) -> Self:
        """Add modules at the end; returns itself."""
        for module in modules:
            self.append(module)
        return self

    def _described(self) -> list[str]:
        """Equal neighbours are printed once."""
        entries = []
        for description, group in groupby(self._held().items(), lambda held: repr(held[1])):
            names = [name for name, _ in group]
            several = len(names) > 1
            entries.append(
                f"({names[0]}-{names[-1]}): {len(names)} x {description}"
                if several
                else f"({names[0]}): {description}"
            )
        return entries


class ModuleDict(Container):
    """Modules by name, to be called by the module that owns it."""

    def __init__(self, modules: Mapping[str, Module] | None = None) -> None:
        super().__init__((modules or {}).items())

    def __getitem__(self, name: str) -> Module:
        return self._held()[name]

    def __setitem__(self, name: str, module: Module) -> None:
        self.add_module(name, module)

    def __delitem__(self, name: str) -> None:
        delattr(self, name)

    def __contains__(self, name: object) -> bool:
        return name in self._held()

    def __iter__(self) -> Iterator[str]:
        return iter(self._held())

    def keys(self) -> Iterable[str]:
        return self._held().keys()

    def values(self) -> Iterable[Module]:
        return self._held().values()

    def items(self) -> Iterable[tuple[str, Module]]:
        return self._held().items()


def _numbered(modules: Iterable[Any]) -> Iterator[tuple[str, Any]]:
    return ((str(position), module) for position, module in enumerate(modules))
