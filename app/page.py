"""The frame of every page: question, prediction, messages, check, address and what to take away.

A page file opens a frame for its study and fills in the middle. The frame keeps the study's setup in
the visitor's session, in step with the address bar; widgets, links, checks and exports follow from it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import streamlit as st
from pydantic import ValidationError

from app import permalink, take_away
from app.catalog import pages
from app.controls import control
from engine import oracles, studies
from engine.expression import ExpressionError
from engine.studies.study import Check, Result, Setup

STYLE = Path(__file__).with_name("page.css").read_text(encoding="utf-8")
PRESENTER_STYLE = Path(__file__).with_name("presenter.css").read_text(encoding="utf-8")
FILE_KINDS = {
    "ipynb": "Notebook that reruns this and compares",
    "csv": "Data as CSV",
    "json": "Settings and figures as JSON",
    "dot": "Graph as DOT, for Graphviz",
    "weights.json": "Weights, points and figures as JSON",
    "graph.json": "Graph as JSON, with values and gradients",
}
FENCE = "`" * 80  # round a line that a visitor typed: longer than any line of backquotes in it
FIRST_RUNS = 2  # complete ones, after which all that was sent has arrived
CLOSE_PREDICTION = 0.05  # relative gap that counts as a good guess


class Frame:
    """One study's page in one visitor's session."""

    def __init__(self, name: str) -> None:
        self.study = studies.load(name)
        self.page = next(page for page in pages() if page.study == name)
        query = st.query_params.to_dict()
        self.present = query.get("present") == "1"
        self.shown = frozenset(query.get("show", "").split(",")) & set(self.study.setup.model_fields)
        self._had_torch = oracles.torch_is_loaded()
        self._read_address(query)

    # ---- the setup, and the address that stands for it

    @property
    def setup(self) -> Any:
        return st.session_state[self._key("setup")]

    def update(self, **changes: Any) -> None:
        """Change fields of the setup; what cannot be is reported in the page and changes nothing."""
        try:
            fields = {**self.setup.model_dump(), **changes}
            st.session_state[self._key("setup")] = self.study.setup.model_validate(fields)
        except ValidationError as error:
            names = {str(detail["loc"][0]) for detail in error.errors()}
            self.report(*(permalink.field_problem(self.study.setup, name, error) for name in sorted(names)))

    def replace(self, setup: Setup) -> None:
        """Start over from a setup, an example for instance."""
        st.session_state[self._key("setup")] = setup

    def write_address(self) -> None:
        """Make the address bar a link to exactly what is on screen."""
        kept = {key: value for key, value in st.query_params.items() if key in permalink.FRAME_KEYS}
        address = {**permalink.encode(self.study, self.setup), **kept}
        if st.query_params.to_dict() != address:
            st.query_params.from_dict(address)
        st.session_state[self._key("address")] = address
        st.session_state[self._key("runs")] = st.session_state.get(self._key("runs"), 0) + 1

    @property
    def is_fresh(self) -> bool:
        """Whether the browser may not have built yet what earlier runs sent it.

        A first visit runs a page twice in a row where torch is still being loaded. A widget's value that was
        sent by the first of these runs alone is lost with it, and the widget would show its first option.
        """
        return bool(st.session_state.get(self._key("runs"), 0) < FIRST_RUNS)

    def _read_address(self, query: dict[str, str]) -> None:
        """Follow the address where it was changed from outside: a link opened, the back button."""
        written = st.session_state.get(self._key("address"))
        asked = any(key not in permalink.FRAME_KEYS for key in query)
        if self._key("setup") in st.session_state and (query == written or not asked):
            return
        decoded = permalink.decode(self.study, query)
        self.replace(decoded.setup)
        self.report(*decoded.problems)

    def link(self, **extra: str) -> str:
        """The full address of what is on screen; `extra` adds the frame's own keys."""
        base = urlsplit(st.context.url or "")._replace(query="", fragment="").geturl()
        return f"{base}?{urlencode({**permalink.encode(self.study, self.setup), **extra})}"

    # ---- the parts of a page, from top to bottom

    def header(self, context: str, source: str) -> None:
        """The question, one sentence of context, and where it comes from."""
        use_style(self.present)
        st.title(self.study.question, anchor=False)
        st.markdown(f"{context} :gray[{source}]")

    def messages(self) -> None:
        """What was wrong with the link or with a change, until the next change. Called before any figure."""
        self._had_torch = oracles.torch_is_loaded()
        for problem in st.session_state.pop(self._key("problems"), ()):
            st.warning(sentence(problem), icon=":material/info:")

    def control(self, name: str, **appearance: Any) -> None:
        """The widget of one field of the setup; see `app.controls`."""
        control(self, name, **appearance)

    def run(self) -> Any:
        """The study's result; where the setup cannot run, says why and gives the last one that could."""
        try:
            result = self.study.run(self.setup)
        except ExpressionError as error:
            message = f"{sentence(error.message)} {sentence(error.hint)}"
            place = f"**Line {error.line}, column {error.column + 1}.**"
            st.error(f"{place} {message}\n{FENCE}text\n{error.pointer()}\n{FENCE}")
        except ValueError as error:
            st.error(sentence(str(error)))
        else:
            st.session_state[self._key("good")] = self.setup
            return result
        last = st.session_state.get(self._key("good"))
        st.caption("Below is the last one that worked." if last else "Below is this page's own example.")
        return self.study.run(last or self.study.setup())

    def check(self, result: Result) -> list[Check]:
        """The study's checks; none yet while torch is being loaded, for which the footer then waits."""
        return self.study.check(result) if oracles.torch_is_loaded() else []

    def predict(self, topic: str, prompt: str, truth: float) -> bool:
        """Ask for a number before it is shown; then show both and the gap. Can be skipped for good.

        A `truth` that is still to be measured is NaN. Returns whether the question is still open, so that a
        page can hold its answer back.
        """
        state = st.session_state.setdefault(self._key("prediction"), {})
        if self.present or state.get("skipped"):
            return False
        with st.container(key="prediction", horizontal=True, vertical_alignment="center", gap="small"):
            if state.get("topic") == topic:
                st.markdown(_verdict(state["guess"], truth))
                st.button("Close", key="prediction_close", type="tertiary", on_click=self._skip_prediction)
                return False
            st.markdown(f"**Predict first.** {prompt}", width="content")
            st.number_input(
                prompt, value=None, step=None, format="%g", width=140, key="prediction_guess",
                label_visibility="collapsed", placeholder="e.g. 0.5",
            )  # fmt: skip
            st.button("Commit", key="prediction_commit", on_click=self._commit_prediction, args=(topic,))
            st.button("Skip", key="prediction_skip", type="tertiary", on_click=self._skip_prediction)
        return True

    def _commit_prediction(self, topic: str) -> None:
        guess = st.session_state.get("prediction_guess")
        if guess is not None:
            st.session_state[self._key("prediction")] = {"topic": topic, "guess": guess}

    def _skip_prediction(self) -> None:
        st.session_state[self._key("prediction")] = {"skipped": True}

    def footer(
        self,
        result: Result,
        checks: Sequence[Check],
        code: str = "",
        files: Mapping[str, Callable[[Any], str]] | None = None,
    ) -> None:
        """Check badge and take-away; `files` are further downloads: file suffix -> text of a result."""
        if self.present:
            if st.button("Leave presenter mode", type="tertiary"):
                self._leave_presenter()
        else:
            self._take_away(result, checks, code, files or {})
        if not self._had_torch:  # when this run began: what came before it was loaded has no check
            with st.spinner("Loading torch, to hold these figures against it…"):
                oracles.torch_version()
            st.rerun()

    def _take_away(
        self,
        result: Result,
        checks: Sequence[Check],
        code: str,
        files: Mapping[str, Callable[[Any], str]],
    ) -> None:
        with st.container(key="take_away", horizontal=True, vertical_alignment="center", gap="small"):
            check_badge(checks)
            st.space("stretch")
            with st.popover("Link", icon=":material/link:"):
                st.caption("Opens exactly what is on screen: every setting, and a version.")
                st.code(self.link(), language=None, wrap_lines=True)
                st.caption("For a lecture: larger type, arrow keys or a clicker step, no controls but these:")
                fields = self.study.setup.model_fields
                kept = st.pills(
                    "Controls to keep",
                    list(fields),
                    selection_mode="multi",
                    key="kept_in_presenter",
                    format_func=lambda name: fields[name].title or name,
                    label_visibility="collapsed",
                )
                st.code(self.link(present="1", show=",".join(kept)), language=None, wrap_lines=True)
            if code:
                with st.popover("Code", icon=":material/code:"):
                    st.code(code, language="python")
            study, setup = self.study, result.setup  # not the result: a session would keep it alive
            makers: dict[str, Callable[[Any], str]] = {
                "ipynb": lambda again: take_away.notebook(study, setup, again, code),
                "csv": take_away.table_csv,
                "json": lambda again: take_away.figures_json(study, setup, again),
                **files,
            }

            def when_asked(make: Callable[[Any], str]) -> Callable[[], str]:
                return lambda: make(study.run(setup))

            with st.popover("Download", icon=":material/download:"):
                for suffix, make in makers.items():
                    self._download(suffix, when_asked(make))

    def _download(self, suffix: str, make: Callable[[], str]) -> None:
        """A file that is made when it is asked for, in a thread without a session."""
        st.download_button(
            FILE_KINDS.get(suffix, suffix),
            data=make,
            file_name=f"unroll-{self.study.name}.{suffix}",
            on_click="ignore",
            key=f"download_{suffix}",
            type="tertiary",
        )

    def _leave_presenter(self) -> None:
        for key in ("present", "show"):
            st.query_params.pop(key, None)
        st.rerun()  # the whole page: the frame was made outside the fragment that holds the button

    def report(self, *problems: str) -> None:
        key = self._key("problems")
        st.session_state[key] = (*st.session_state.get(key, ()), *problems)

    def _key(self, part: str) -> str:
        return f"{part}:{self.study.name}"


def use_style(present: bool = False) -> None:
    """What every page shares beyond the theme; larger and bare in presenter mode."""
    st.html(f"<style>{STYLE}{PRESENTER_STYLE if present else ''}</style>")


def check_badge(checks: Sequence[Check]) -> None:
    """How many figures agree with which oracle; opens to the figures themselves."""
    if not checks:
        return
    passed = sum(check.passed for check in checks)
    named = ", ".join(sorted({check.oracle for check in checks}))
    agree = passed == len(checks)
    icon = ":material/verified:" if agree else ":material/error:"
    colour = "green" if agree else "red"
    with st.popover(
        f":{colour}[{passed} of {len(checks)} figures agree with {named}]", icon=icon, type="tertiary"
    ):
        rows = "\n".join(
            f"| {check.name} | {check.found:.12g} | {check.expected:.12g} | {check.error:.1e} "
            f"| {'✓' if check.passed else '✗'} |"
            for check in checks
        )
        st.markdown(f"| figure | ours | {named} | error | |\n|---|--:|--:|--:|---|\n{rows}")
        st.caption(f"Relative error, absolute below 1; at most {checks[0].tolerance:g} passes.")


def sentence(text: str) -> str:
    """Text with a capital and a full stop, safe as Markdown: it may quote what a visitor typed."""
    if not text:
        return ""
    plain = re.sub(r"([\\`*_{}\[\]()#+\-!$|<>~:])", r"\\\1", text)
    return f"{plain[0].upper()}{plain[1:]}{'' if plain.endswith(('.', '…')) else '.'}"


def _verdict(guess: float, truth: float) -> str:
    if math.isnan(truth):
        return f"You said **{guess:.4g}**; measure to see."
    gap = abs(guess - truth)
    figures = f"You said **{guess:.4g}**; it is **{truth:.4g}**"
    if not math.isfinite(gap):
        return f"{figures}."
    if gap <= CLOSE_PREDICTION * max(abs(truth), 1e-12):
        return f":green[**Right.**] {figures}."
    return f"{figures}: off by {gap:.3g}."
