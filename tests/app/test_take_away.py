"""Exports: the notebook runs and compares, the table and the figures read back as they were."""

import csv
import io
import json

import nbformat
import numpy as np
import pytest

from app import take_away
from engine import studies


@pytest.mark.parametrize("name", studies.NAMES)
def test_the_notebook_reruns_to_the_same_figures(name: str) -> None:
    study = studies.load(name)
    setup = study.setup()
    document = nbformat.reads(take_away.notebook(study, setup, study.run(setup)), as_version=4)
    namespace: dict[str, object] = {}
    for cell in document.cells:
        if cell.cell_type == "code":  # our own text; it holds the assertion that the figures are equal
            exec(cell.source, namespace)
    assert namespace["setup"] == setup


def test_the_notebook_of_a_setup_is_always_the_same_file() -> None:
    study = studies.load("graph")
    setup = study.setup()
    first, second = (take_away.notebook(study, setup, study.run(setup), "print(1)") for _ in range(2))
    assert first == second


@pytest.mark.parametrize("name", studies.NAMES)
def test_the_csv_holds_the_table(name: str) -> None:
    study = studies.load(name)
    result = study.run(study.setup())
    head, *rows = csv.reader(io.StringIO(take_away.table_csv(result)))
    table = result.table()
    assert head == list(table)
    assert len(rows) == len(next(iter(table.values())))
    for position, column in enumerate(table.values()):
        if isinstance(column, np.ndarray):
            assert [float(row[position]) for row in rows] == pytest.approx(column.tolist(), nan_ok=True)


def test_the_json_is_strict_also_with_infinities() -> None:
    study = studies.load("graph")
    setup = study.setup(program="log(x)", values={"x": 0.0})
    document = json.loads(
        take_away.figures_json(study, setup, study.run(setup)), parse_constant=lambda name: pytest.fail(name)
    )
    assert document["summary"]["output"] == "-Infinity"
    assert document["setup"]["program"] == "log(x)"
