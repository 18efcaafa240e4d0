"""The command line: `unroll run` serves the pages, `unroll STUDY` computes what a page shows.

    unroll open FILE                     serves the pages; "Your own run" begins with this recording
    unroll STUDY --field value …         the page's figures and checks as text
    unroll STUDY --field value … --json  the same as JSON, with the data behind the picture

Exit code 0; 1 where a check fails or the server cannot start; 2 where an argument is wrong.
"""

import argparse
import json
import os
import sys
from collections.abc import Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt, MaxLen, MinLen
from pydantic import ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from engine import jsonable, studies
from engine.expression import ExpressionError
from engine.studies.study import Check, Result, Setup, Study

FLAGS = ("--json", "--help")
CONTAINERS = (dict, frozenset, list, set, tuple)
BOUNDS = {
    Ge: ("ge", "≥"),
    Gt: ("gt", ">"),
    Le: ("le", "≤"),
    Lt: ("lt", "<"),
    MinLen: ("min_length", "length ≥"),
    MaxLen: ("max_length", "length ≤"),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command. Returns the exit code; argparse itself exits with 2 on unknown options."""
    command, *rest = (sys.argv[1:] if arguments is None else arguments) or ["--help"]
    if command in ("-h", "--help"):
        print(usage())
        return 0
    if command == "run":
        from app import server

        return server.run(rest)
    if command == "open":
        return open_recording(rest)
    if command in studies.NAMES:
        return run_study(studies.load(command), rest)
    print(f"unroll: there is no command or study named {command!r}.\n\n{usage()}", file=sys.stderr)
    return 2


def open_recording(arguments: Sequence[str]) -> int:
    """`unroll open FILE [options of unroll run]`: 2 where the file is no recording, else as `unroll run`."""
    from app import own_file, server
    from engine.tracing.files import TraceFileError, read

    if not arguments or arguments[0].startswith("-"):
        print("unroll open: name the file that engine.record() wrote, first of all.", file=sys.stderr)
        return 2
    path = Path(arguments[0]).resolve()
    try:
        read(own_file.bounded(path))
    except (TraceFileError, OSError) as error:
        print(f"unroll open: {path.name}: {getattr(error, 'strerror', None) or error}.", file=sys.stderr)
        return 2
    os.environ[own_file.VARIABLE] = str(path)
    print(f'{path.name} is on the page "Your own run", /own_run below the address that follows.', flush=True)
    return server.run(arguments[1:])


def usage() -> str:
    names = "\n".join(f"  unroll {name}" for name in studies.NAMES)
    return (
        "unroll run [--port N] [--address A]   serve the pages\n"
        "unroll open FILE [--port N]           serve them, with a recorded run opened\n"
        "unroll STUDY [--field value …] [--json]\n"
        f"{names}\n\n"
        "unroll STUDY --help lists the fields of a study."
    )


def run_study(study: Study[Any, Any], arguments: Sequence[str]) -> int:
    """Build the Setup from the arguments, run the study, hold it against its oracle, and print both."""
    options = vars(study_parser(study).parse_args(joined(arguments)))
    as_json = options.pop("json")
    try:
        setup = study.setup.model_validate(options)
        result = study.run(setup)
    except ValueError as error:  # from Setup: ValidationError; from run: text that makes no sense
        for line in complaints(error):
            print(f"unroll {study.name}: {line}", file=sys.stderr)
        return 2
    checks = study.check(result)
    print(as_document(study, setup, result, checks) if as_json else as_text(study, result, checks))
    return 0 if all(check.passed for check in checks) else 1


def study_parser(study: Study[Any, Any]) -> argparse.ArgumentParser:
    """One option for each field of the study's Setup; only those given reach the result."""
    parser = argparse.ArgumentParser(
        prog=f"unroll {study.name}",
        description=study.question,
        argument_default=argparse.SUPPRESS,
        allow_abbrev=False,
    )
    for name, field in study.setup.model_fields.items():
        flags = dict.fromkeys((f"--{name}", f"--{name.replace('_', '-')}"))
        parser.add_argument(
            *flags,
            dest=name,
            type=partial(parsed, field),
            metavar=name.upper(),
            help=field_help(field).replace("%", "%%"),
        )
    parser.add_argument("--json", action="store_true", default=False, help="print everything as JSON")
    return parser


def field_help(field: FieldInfo) -> str:
    """What the field means, what it may be, and its default."""
    limits = (
        f"{sign} {getattr(limit, attribute)}"
        for limit in field.metadata
        for kind, (attribute, sign) in BOUNDS.items()
        if isinstance(limit, kind)
    )
    default = f"default: {field.get_default(call_default_factory=True)!r}" if not field.is_required() else ""
    choices = map(str, get_args(field.annotation) if get_origin(field.annotation) is Literal else ())
    details = "; ".join(filter(None, [", ".join(choices), ", ".join(limits), default]))
    return " ".join(filter(None, [field.description, f"({details})" if details else ""]))


def joined(arguments: Sequence[str]) -> list[str]:
    """`--x -1e-3` as `--x=-1e-3`: argparse takes a value that begins with a minus for an option."""
    remaining, pairs = list(arguments), []
    while remaining:
        argument = remaining.pop(0)
        takes_value = argument.startswith("--") and "=" not in argument and argument not in FLAGS
        if takes_value and remaining and not remaining[0].startswith("--"):
            argument = f"{argument}={remaining.pop(0)}"
        pairs.append(argument)
    return pairs


def parsed(field: FieldInfo, text: str) -> Any:
    """The argument of a field: JSON where it holds several values, otherwise text, which pydantic reads."""
    if get_origin(field.annotation) is Literal:  # the choices may be numbers
        return next((choice for choice in get_args(field.annotation) if str(choice) == text), text)
    if get_origin(field.annotation) not in CONTAINERS:
        return text
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise argparse.ArgumentTypeError(f"this is not JSON ({error}): {text}") from error


def complaints(error: ValueError) -> list[str]:
    """What is wrong with the arguments, one message for each."""
    if isinstance(error, ValidationError):
        return [complaint(problem) for problem in error.errors(include_url=False)]
    if isinstance(error, ExpressionError):
        return ["\n".join(filter(None, [error.message, error.pointer(), error.hint]))]
    return [str(error)]


def complaint(problem: ErrorDetails) -> str:
    field = ".".join(str(part) for part in problem["loc"])
    message = problem["msg"].removeprefix("Value error, ")
    return f"{field}: {message} (given: {problem['input']!r})" if field else message


def as_text(study: Study[Any, Any], result: Result, checks: Sequence[Check]) -> str:
    """The question, the figures in aligned columns, and the checks."""
    summary = {name: figure(value) for name, value in result.summary().items()}
    width = max(map(len, summary), default=0)
    lines = [study.question, "", *(f"{name:<{width}}  {value}" for name, value in summary.items())]
    if checks:
        lines += ["", "Checks"]
        lines += [
            f"  {'passed' if check.passed else 'FAILED'}  {check.name}: {figure(check.found)}; "
            f"{check.oracle} gives {figure(check.expected)} "
            f"(error {check.error:.2g}, tolerance {check.tolerance:.2g})"
            for check in checks
        ]
    return "\n".join(lines)


def figure(value: float | int | str) -> str:
    return f"{value:.10g}" if isinstance(value, float) else str(value)


def as_document(study: Study[Any, Any], setup: Setup, result: Result, checks: Sequence[Check]) -> str:
    """Everything as JSON; NaN and infinities are strings, which JSON does not have as numbers."""
    document = {
        "study": study.name,
        "version": study.version,
        "setup": setup.model_dump(),
        "summary": result.summary(),
        "checks": [{**asdict(check), "passed": check.passed} for check in checks],
        "table": result.table(),
    }
    return json.dumps(jsonable.encode(document), indent=2, ensure_ascii=False, allow_nan=False)
