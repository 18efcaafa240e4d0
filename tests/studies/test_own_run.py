"""The study of a recorded run: what is drawn of it, and which traces it finds."""

from __future__ import annotations

from itertools import pairwise

import pytest

from engine.studies.own_run import EXAMPLES, KEPT, STUDY, OwnRunSetup, beginning, opened, run
from engine.studies.own_run_examples import RUNS, example
from engine.studies.own_run_graph import MOST_PARTS, PLEASANT, Picture, picture
from engine.tracing.files import TraceFile
from engine.tracing.trace import Failure, Group, Operation, Step, Trace, TracedTensor


def chain(length: int, groups: dict[int, tuple[Group, ...]] | None = None) -> Step:
    """A sequence of operations, each with a weight of its own."""
    tensors = [TracedTensor(kind="data", shape=(2,), dtype="float32", requires_grad=False)]
    operations = []
    for number in range(length):
        weight, result = len(tensors), len(tensors) + 1
        tensors += [
            TracedTensor(kind=kind, shape=(2,), dtype="float32", requires_grad=True)  # type: ignore[arg-type]
            for kind in ("parameter", "result")
        ]
        before = 2 * number
        inside = (groups or {}).get(number, ())
        operations.append(Operation(name="f", inputs=(before, weight), outputs=(result,), groups=inside))
    return Step(number=0, tensors=tuple(tensors), operations=tuple(operations), loss=2 * length)


def call(number: int, name: str) -> Group:
    return Group(call=number, name=name, kind="Layer")


def assert_is_whole(step: Step, drawn: Picture) -> None:
    """Each part after those it comes from; every tensor in exactly one."""
    seen: set[str] = set()
    for part in drawn.parts:
        assert seen.issuperset(part.operands)
        seen.add(part.id)
    members = [position for part in drawn.parts for position in part.members]
    assert sorted(members) == list(range(len(step.tensors)))
    for operation in step.operations:
        target = drawn.places[operation.outputs[0]]
        for source in operation.inputs:
            edge = (drawn.places[source], target)
            part = next(part for part in drawn.parts if part.id == target)
            assert edge[0] == target or edge[0] in part.operands


@pytest.mark.parametrize("name", EXAMPLES)
@pytest.mark.parametrize("fold", ["automatic", "modules", "nothing"])
def test_examples_are_drawn_whole(name: str, fold: str) -> None:
    for graph in range(len(example(name).trace.steps)):
        result = run(OwnRunSetup(trace=name, graph=graph, fold=fold))  # type: ignore[arg-type]
        assert_is_whole(result.step, result.picture)


def test_what_the_examples_show() -> None:
    found = {name: run(setup) for name, setup in EXAMPLES.items()}
    assert [finding.gravity for finding in found["healthy"].findings] == ["fine"]
    assert all(check.passed for check in STUDY.check(found["healthy"]))
    wrong = found["wrong derivative"]
    assert "Swish.vjp, own_run_examples.py" in wrong.findings[0].text
    assert [check.passed for check in STUDY.check(wrong)].count(False) == 3  # and the loss as a whole
    assert found["failed forward"].step.failure is not None
    assert [each.name for each in found["failed forward"].step.operations][-1] == "relu"
    losses = [loss for _, loss in found["healthy"].trace.history.losses]
    assert losses[-1] < losses[0] / 2


def test_a_long_chain_outside_of_modules_is_cut_into_stretches() -> None:
    step = chain(1200)
    for fold in ("automatic", "modules", "nothing"):
        drawn = picture(step, fold, ())  # type: ignore[arg-type]
        assert_is_whole(step, drawn)
        assert len(drawn.parts) <= MOST_PARTS


def test_modules_fold_and_unfold() -> None:
    groups = {number: (call(1000, "net"), call(number // 4, f"layer{number // 4}")) for number in range(40)}
    step = chain(40, groups)
    automatic = picture(step, "automatic", ())
    assert_is_whole(step, automatic)
    assert len(automatic.parts) <= PLEASANT
    folded = [part for part in automatic.parts if part.group]
    assert [part.group.name for part in folded if part.group] == [f"layer{number}" for number in range(10)]
    assert all(len(part.members) == 8 for part in folded)  # with the weights that only it uses
    assert all(later.operands == (earlier.id,) for earlier, later in pairwise(folded))
    opened_one = picture(step, "automatic", ["g3"])
    assert_is_whole(step, opened_one)
    assert len(opened_one.parts) == len(automatic.parts) + 7
    assert next(part for part in opened_one.parts if part.id == "t32").closable == call(3, "layer3")
    assert len(picture(step, "nothing", ()).parts) == 81


def test_calls_that_are_not_one_after_the_other_are_drawn_unfolded() -> None:
    outer = {0: (call(1, "a"),), 1: (call(2, "b"),), 2: (call(1, "a"),), 3: (call(2, "b"),)}
    step = chain(4, outer)
    assert_is_whole(step, picture(step, "modules", ()))


def test_a_trace_is_found_by_its_content_while_it_is_kept() -> None:
    trace = example("healthy").trace
    for number in range(KEPT + 1):
        opened.add(TraceFile(f"{number:032x}", trace, example("healthy").arrays))
    assert run(OwnRunSetup(trace=f"{KEPT:032x}")).trace is trace
    with pytest.raises(ValueError, match="open that file again"):
        run(OwnRunSetup(trace=f"{0:032x}"))


def test_one_begins_where_it_failed() -> None:
    step = Step(number=3, tensors=(), operations=(), failure=Failure(error="E", message="m"))
    trace = Trace(framework="x", count=3, steps=(chain(1), step))
    assert beginning("key", trace).graph == 1
    assert beginning("key", example("healthy").trace).graph == 0


def test_an_empty_trace_is_shown_as_empty() -> None:
    opened.add(TraceFile("empty", Trace(framework="x", count=0, steps=()), {}))
    result = run(OwnRunSetup(trace="empty"))
    assert result.picture.parts == ()
    assert result.summary()["operations"] == 0


def test_each_example_is_made_once() -> None:
    assert all(example(name) is example(name) for name in RUNS)
