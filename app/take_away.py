"""What a visitor takes home from a page: notebook and data, made only when asked for."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from engine.jsonable import encode
from engine.studies.study import Result, Setup, Study


def notebook(study: Study[Any, Any], setup: Setup, result: Result, code: str = "") -> str:
    """A notebook that runs this study with this setup again and compares with the figures on the page."""
    fields = setup.model_dump(mode="json")
    expected = encode(dict(result.summary()))
    cells = [
        new_markdown_cell(
            f"# {study.question}\n\nStudy `{study.name}`, version {study.version}, from Unroll. "
            "Run it in a checkout of Unroll, or where `pip install -e .` was run in one."
        ),
        new_code_cell(
            "from engine.jsonable import encode\n"
            "from engine.studies import load\n\n"
            f"study = load({study.name!r})\n"
            f"setup = study.setup.model_validate({fields!r})\n"
            "result = study.run(setup)\n"
            "dict(result.summary())"
        ),
        new_markdown_cell("The page showed these figures; a rerun must give the same."),
        new_code_cell(
            f"expected = {expected!r}\nassert encode(dict(result.summary())) == expected\nexpected"
        ),
        new_markdown_cell("The same figures held against an independent oracle."),
        new_code_cell("study.check(result)"),
    ]
    if code:
        cells += [new_markdown_cell("What is on the page, in PyTorch."), new_code_cell(code)]
    document = new_notebook(cells=cells, metadata={"language_info": {"name": "python"}})
    for position, cell in enumerate(document.cells):
        cell["id"] = f"cell-{position}"  # nbformat's own ids are random; the same setup gives the same file
    nbformat.validate(document)
    return str(nbformat.writes(document))


def table_csv(result: Result) -> str:
    """The data behind the picture; the first row names the columns."""
    columns = result.table()
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(zip(*columns.values(), strict=True))
    return text.getvalue()


def figures_json(study: Study[Any, Any], setup: Setup, result: Result) -> str:
    """Setup and figures as one JSON document."""
    document = {"study": study.name, "version": study.version, "setup": setup.model_dump(mode="json")}
    return json.dumps({**document, "summary": encode(dict(result.summary()))}, ensure_ascii=False, indent=1)
