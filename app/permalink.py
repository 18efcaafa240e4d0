"""Setup <-> address: a link holds every field and a version, and replays to the same numbers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args, get_origin

from pydantic import ValidationError

from engine.studies.study import Setup, Study

VERSION_KEY = "v"
FRAME_KEYS = frozenset({"present", "show", "watch", "embed", "embed_options"})  # for the page, not the study


@dataclass(frozen=True)
class Decoded:
    """The setup that an address stands for, and what was wrong with the address (nothing, usually)."""

    setup: Setup
    problems: tuple[str, ...] = ()


def encode(study: Study[Any, Any], setup: Setup) -> dict[str, str]:
    """The query parameters of this setup: all fields, defaults too, so that a link never changes meaning."""
    fields = {name: _write(value) for name, value in setup.model_dump(mode="json").items()}
    return {VERSION_KEY: str(study.version), **fields}


def decode(study: Study[Any, Any], query: Mapping[str, str]) -> Decoded:
    """The setup in these query parameters; a field that cannot be read keeps its default and is reported."""
    given = {key: text for key, text in query.items() if key not in FRAME_KEYS}
    version = given.pop(VERSION_KEY, str(study.version))
    if version != str(study.version):
        message = f"This link is of version {version[:20]!r}; this page reads version {study.version}."
        return Decoded(study.setup(), (f"{message} The defaults are shown instead.",))
    known = study.setup.model_fields
    problems = [
        f"The link has a part “{key[:40]}” that this page does not know; it is ignored."
        for key in given
        if key not in known
    ]
    fields = {
        key: text if _is_text(known[key].annotation) else _read(text)
        for key, text in given.items()
        if key in known
    }
    while True:
        try:
            return Decoded(study.setup.model_validate(fields), tuple(problems))
        except ValidationError as error:
            for name in sorted({str(detail["loc"][0]) for detail in error.errors()}):
                problems.append(f"{field_problem(study.setup, name, error)} The default is used.")
                del fields[name]


def field_problem(setup: type[Setup], name: str, error: ValidationError) -> str:
    """What is wrong with one field, in one sentence that names it as the page does."""
    detail = next(entry for entry in error.errors() if str(entry["loc"][0]) == name)
    title = setup.model_fields[name].title or name
    message = detail["msg"].removeprefix("Value error, ")
    given = str(detail["input"])
    shown = given if len(given) <= 40 else f"{given[:37]}…"
    return f"{title} cannot be “{shown}”: {message[0].lower()}{message[1:]}."


def _write(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _is_text(annotation: Any) -> bool:
    """Whether a field holds nothing but text: “8.0” may be the name of something, and no number."""
    choices = get_args(annotation) if get_origin(annotation) is Literal else ()
    return annotation is str or (bool(choices) and all(isinstance(choice, str) for choice in choices))


def _read(text: str) -> Any:
    """What `_write` wrote; text that is no JSON is left for the field's own validation to refuse."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text
