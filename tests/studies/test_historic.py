"""The study of the nets of 1986: figures by name, checks beside torch and the paper, other seeds."""

import pytest

from engine.compiler import background
from engine.historic.run import Run
from engine.studies.historic import EXAMPLES, FAMILY, PAPER, STUDY, SYMMETRY, XOR, check, run


def test_the_papers_net_finds_the_papers_weights() -> None:
    Run(SYMMETRY)
    background.settle()
    result = run(SYMMETRY.model_copy(update={"epoch": "1425"}))
    assert result.summary()["train accuracy"] == 1.0
    checks = check(result)
    assert sum(each.oracle == PAPER for each in checks) == 6
    assert [each.name for each in checks if not each.passed] == []
    assert len(result.table()["epoch"]) == 1426


def test_before_it_has_settled_there_is_nothing_to_claim() -> None:
    checks = check(run(SYMMETRY.model_copy(update={"epoch": "3"})))
    assert {each.oracle for each in checks} == {
        next(each.oracle for each in checks if "torch" in each.oracle)
    }
    assert all(each.passed for each in checks)


@pytest.mark.parametrize("task", EXAMPLES)
def test_every_example_agrees_with_its_oracles(task: str) -> None:
    for name, setup in EXAMPLES[task].items():
        result = run(setup.model_copy(update={"epoch": "4", "sweeps": 5}))
        failed = [each for each in check(result) if not each.passed]
        assert not failed, (name, failed)
        assert result.summary()["epoch"] == "4"


def test_seeds_are_part_of_the_result() -> None:
    result = run(XOR.model_copy(update={"seeds": 3, "sweeps": 40}))
    assert [seeded.seed for seeded in result.seeds] == [0, 1, 2]
    solved = sum(seeded.solved is not None for seeded in result.seeds)
    assert result.summary()["seeds solved within 40 sweeps"] == f"{solved} of 3"


def test_what_units_tell_of_people_is_summed_up() -> None:
    summary = run(FAMILY.model_copy(update={"epoch": "2", "seeds": 1, "sweeps": 2})).summary()
    assert 0.0 <= summary["generation: most told by a unit"] <= 1.0  # type: ignore[operator]
    assert summary["mean test accuracy of all"] == 0.0
    assert STUDY.name == "historic"
