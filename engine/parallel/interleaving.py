"""Two threads on one memory, one step at a time, in any order: what can come of it, counted exactly.

Which thread steps next is not for the program to say. Every order is an interleaving; threads of m and n
steps have (m + n)! / (m! n!) of them. They are not tried one by one: interleavings that have led to the same
situation are followed together.

A data race is two accesses of different threads to the same memory, of which one writes, with nothing that
orders them [L. Lamport 1978; ISO C++ 6.9.2.2]. Atomic accesses do not race with each other.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

from engine.parallel import counting
from engine.parallel.counting import Bins
from engine.parallel.stepped import Action, Thread, stepped

NAMES = "AB"
MOST_SITUATIONS = 20_000


@dataclass(frozen=True)
class Program:
    """What two threads do: `data` is split in two halves, and each thread counts its own."""

    bins: Bins
    data: tuple[int, ...]
    cells: int  # bins of one set

    @property
    def memory(self) -> tuple[int, ...]:
        """All bins at the start: those of the second thread follow, where each has its own."""
        return (0,) * self.cells * (2 if self.bins == "private" else 1)

    def start(self) -> list[Thread]:
        make, half = stepped(counting.source(self.bins)), len(self.data) // 2
        return [make(self.data, 0, half), make(self.data, half, len(self.data))]

    def cell(self, thread: int, b: int) -> int:
        """Where a thread's bin b lies in memory."""
        return b + (self.cells * thread if self.bins == "private" else 0)


@dataclass(frozen=True)
class Step:
    """A step that was made.

    value   that was loaded, computed or stored; of an atomic step what is now there
    lost    updates of the other thread that this store overwrote without having seen them
    races   the places in the order of the steps that race with this one: accesses of the other thread
    """

    thread: int
    action: Action
    cell: int
    value: int
    lost: int
    races: tuple[int, ...]


@dataclass(frozen=True)
class Situation:
    """Where an order of steps has led: memory, what each thread holds, and what it would do next."""

    program: Program
    steps: tuple[Step, ...]
    memory: tuple[int, ...]
    holds: tuple[int | None, ...]
    pending: tuple[Action | None, ...]

    @property
    def is_over(self) -> bool:
        return not any(self.pending)

    @property
    def counted(self) -> int:
        """Updates that are in memory."""
        return sum(self.memory)

    @cached_property
    def key(self) -> tuple[object, ...]:
        """Equal for situations with the same future and the same past of each thread by itself."""
        past = tuple(
            tuple((step.action.kind, step.cell, step.value) for step in self.steps if step.thread == thread)
            for thread in range(len(NAMES))
        )
        return past, self.memory


def follow(program: Program, order: Sequence[int]) -> Situation:
    """Make the steps in this order of threads. Raises ValueError where a thread has none left."""
    threads = program.start()
    pending = [_action(next(thread, None)) for thread in threads]
    memory, steps = list(program.memory), list[Step]()
    holds: list[int | None] = [None] * len(threads)
    for place, thread in enumerate(order):
        action = pending[thread]
        if action is None:
            raise ValueError(f"thread {NAMES[thread]} has finished: it has no step {place + 1}")
        cell = program.cell(thread, action.cell)
        held = holds[thread] or 0
        lost = memory[cell] - (held - 1) if action.kind == "store" else 0
        value = _perform(action, memory, cell, held)
        steps.append(Step(thread, action, cell, value, lost, _races(steps, thread, action, cell)))
        holds[thread] = value if action.kind in ("load", "add") else None
        pending[thread] = _resume(threads[thread], value)
    return Situation(program, tuple(steps), tuple(memory), tuple(holds), tuple(pending))


def _perform(action: Action, memory: list[int], cell: int, held: int) -> int:
    """Do the step to memory; the value that it gives."""
    match action.kind:
        case "load":
            return memory[cell]
        case "add":
            return held + action.value
        case "store":
            memory[cell] = action.value
        case "atomic":
            memory[cell] += action.value
    return memory[cell]


def _races(steps: Sequence[Step], thread: int, action: Action, cell: int) -> tuple[int, ...]:
    """Earlier steps that conflict with this one; the two threads never wait for each other."""
    if not action.touches_memory:
        return ()
    return tuple(
        place
        for place, step in enumerate(steps)
        if step.thread != thread
        and step.cell == cell
        and step.action.touches_memory
        and (step.action.writes or action.writes)
        and not (step.action.kind == action.kind == "atomic")
    )


def _action(found: tuple[str, int, int, int] | None) -> Action | None:
    return None if found is None else Action(*found)  # type: ignore[arg-type]


def _resume(thread: Thread, value: int) -> Action | None:
    try:
        return _action(thread.send(value))
    except StopIteration:
        return None


# ---- all of them


@dataclass(frozen=True)
class Node:
    """A situation among all: the places of those that follow, by thread, and how it can end.

    outcomes  number of interleavings from here, by the number of updates that are counted in the end
    """

    situation: Situation
    after: tuple[int | None, ...]
    outcomes: Counter[int]


@lru_cache(maxsize=32)
def explore(program: Program) -> tuple[Node, ...]:
    """Every situation that can come up, the start first. Raises ValueError for more than a page can hold."""
    found: list[Situation] = []
    following: list[list[object]] = []
    start = follow(program, ())
    waiting: list[tuple[tuple[int, ...], Situation]] = [((), start)]
    place: dict[object, int] = {start.key: 0}
    while waiting:
        order, situation = waiting.pop(0)
        found.append(situation)
        keys: list[object] = []
        for thread, action in enumerate(situation.pending):
            if action is None:
                keys.append(None)
                continue
            longer: tuple[int, ...] = (*order, thread)
            then = follow(program, longer)
            if then.key not in place:
                if len(place) >= MOST_SITUATIONS:
                    raise ValueError("so many steps can be interleaved in too many ways to show")
                place[then.key] = len(place)
                waiting.append((longer, then))
            keys.append(then.key)
        following.append(keys)
    return _counted(found, [[None if key is None else place[key] for key in keys] for keys in following])


def _counted(found: list[Situation], after: list[list[int | None]]) -> tuple[Node, ...]:
    """Nodes with their outcomes, from the last: a situation ends in all the ways that the next ones do."""
    nodes: list[Node | None] = [None] * len(found)
    for place in range(len(found) - 1, -1, -1):
        outcomes: Counter[int] = Counter()
        if found[place].is_over:
            outcomes[found[place].counted] = 1
        for then in after[place]:
            node = None if then is None else nodes[then]
            if node:
                outcomes += node.outcomes
        nodes[place] = Node(found[place], tuple(after[place]), outcomes)
    return tuple(node for node in nodes if node)
