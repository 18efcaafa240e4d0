"""Which module of a torch model is running, and what its parameters are called."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from engine.tracing.trace import Group


class Modules:
    """Follows the calls of all modules. The outermost ones that run are the models that names come from."""

    def __init__(self, model: Any = None) -> None:
        self.names: dict[int, str] = {}
        self.named: dict[int, tuple[str, Any]] = {}  # parameters, by id
        self.kept: list[Any] = []  # so that ids stay theirs
        self.stack: list[Group] = []
        self.calls = 0
        if model is not None:
            self._learn(model)

    @contextmanager
    def followed(self) -> Iterator[None]:
        """Keep the stack of calls while in this context."""
        from torch.nn.modules import module

        before = module.register_module_forward_pre_hook(self._enter)
        after = module.register_module_forward_hook(self._leave, always_call=True)
        try:
            yield
        finally:
            before.remove()
            after.remove()

    def inside(self) -> tuple[Group, ...]:
        """The calls that are running, outermost first."""
        return tuple(self.stack[:60])

    def parameter(self, tensor: Any) -> str:
        """The name of a parameter, or ""."""
        return self.named.get(id(tensor), ("", None))[0]

    def _learn(self, root: Any) -> None:
        kind = type(root).__name__
        first = not self.named
        for path, module in root.named_modules():
            name = path if first else ".".join(filter(None, (kind, path)))
            self.names.setdefault(id(module), (name or kind)[:100])
        for path, parameter in root.named_parameters():
            self.named.setdefault(id(parameter), ((path if first else f"{kind}.{path}")[:100], parameter))
        self.kept.append(root)

    def _enter(self, module: Any, *_: Any) -> None:
        if id(module) not in self.names:
            self._learn(module)
        name = self.names.get(id(module), type(module).__name__)
        self.stack.append(Group(call=self.calls, name=name, kind=type(module).__name__[:100]))
        self.calls += 1

    def _leave(self, *_: Any) -> None:
        if self.stack:
            self.stack.pop()
