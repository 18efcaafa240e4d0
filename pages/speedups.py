"""Parallel speed-ups: what threads and vectors gain on this machine, what they cost, what they break."""

from collections.abc import Sequence
from typing import Any

import streamlit as st

from app.components.bundle import event
from app.components.error_chart import error_chart
from app.components.interleaving_board import interleaving_board
from app.components.ladder_bars import ladder_bars
from app.components.marked_code import marked_code
from app.components.time_ledger import time_ledger
from app.examples import experiments
from app.figures import (
    speedups,
    speedups_bars,
    speedups_charts,
    speedups_code,
    speedups_notes,
    speedups_race,
    speedups_snippets,
)
from app.measuring import measuring, refuse_links
from app.page import Frame
from engine.studies.speedups import EXAMPLES, SpeedupsResult
from engine.studies.speedups_plans import TRIED, plan
from engine.studies.speedups_setup import SIZES

CONTROLS = {
    "Speed-up": (("kernel", "schedule", "counting"), ("size", "threads", "fast", "serial", "seed")),
    "Sizes": (("kernel", "schedule", "counting"), ("threads", "fast", "seed")),
    "Loops found": (("loop",),),
    "SIMD": (("simd",),),
    "False sharing": (("spacing",),),
    "Race": (("counting", "updates", "cells"),),
}
OPTIONS: dict[str, Sequence[int]] = {
    "size": SIZES,
    "threads": TRIED,
    "cells": (1, 2, 4, 16, 64, 256),
    "updates": (1, 2),
}
ALL_IN_EXAMPLES = ("Loops found", "SIMD")  # experiments of which the examples are all there is
CHOICES = ("kernel", "schedule", "counting", "loop", "simd")
WIDTHS = {"serial": 160, "seed": 110, "spacing": 320, "updates": 180, "cells": 130}

frame = Frame("speedups")
frame.header(
    "A loop is split over threads, and its turns over the lanes of a vector. Mostly it gets faster.",
    "Amdahl 1967 · Gustafson 1988 · MiniTorch 3.1 · Cornell CS 6787",
)


def move_marker() -> None:
    if change := event("speedups_chart", "change"):
        frame.update(**speedups_charts.changed_fields(change))


def move_order() -> None:
    if change := event("speedups_race", "change"):
        frame.update(order=str(change["value"]["order"]))


def forget_order() -> None:
    """An order of steps belongs to one program: with another one, the threads are at their start."""
    setup = frame.setup
    task = setup.counting, setup.updates, setup.cells
    before = st.session_state.get("speedups_stepped", (task, setup.order))
    if task != before[0] and setup.order == before[1]:
        frame.update(order="")
    st.session_state["speedups_stepped"] = task, frame.setup.order


def controls() -> None:
    setup = frame.setup
    looked = {"at": 2, "size": setup.size if setup.experiment == "Speed-up" else 1 << 18}
    experiments(frame, EXAMPLES, lambda e: e == setup.model_copy(update=looked))
    for row in CONTROLS[setup.experiment]:
        if frame.present or setup.experiment not in ALL_IN_EXAMPLES:
            with st.container(horizontal=True, gap="medium", vertical_alignment="bottom"):
                for name in row:
                    if name != "counting" or setup.kernel == "histogram" or setup.experiment == "Race":
                        width = "content" if name in CHOICES else WIDTHS.get(name, 130)
                        frame.control(name, **choices(name), width=width)


def choices(name: str) -> dict[str, Any]:
    """How the control of a field is shown."""
    return {"step": 0.01, "format": "percent"} if name == "serial" else {"options": OPTIONS.get(name)}


def picture(result: SpeedupsResult, veiled: bool) -> None:
    experiment = result.setup.experiment
    if experiment == "Race":
        interleaving_board(speedups_race.board(result, frame.present, veiled), "speedups_race", move_order)
        return
    if experiment in ("Loops found", "SIMD"):
        marked_code(speedups_code.panes(result, frame.present, veiled), "speedups_code")
    if experiment in speedups_charts.MAKERS:
        chart = speedups_charts.chart(result, frame.present, veiled)
        error_chart(chart, "speedups_chart", move_marker)
    if result.scaling:
        st.markdown("**Where the time goes**, part by part, and what was measured")
        time_ledger(speedups_bars.ledger(result, veiled), "speedups_ledger")


def findings(result: SpeedupsResult) -> None:
    st.markdown("\n".join(f"- {note}" for note in speedups_notes.notes(result)))
    if table := speedups_notes.scaling_table(result):
        st.markdown(table)
    if result.run:
        st.markdown("**What it costs to begin**: making the code, launching it, one call")
        ladder_bars(speedups_bars.phases(result), "speedups_phases")


@st.fragment
def explorer() -> None:
    refuse_links(frame)
    if frame.shown or not frame.present:
        controls()
    forget_order()
    frame.messages()
    result: SpeedupsResult = frame.run()
    asked = speedups.question(result)
    veiled = asked is not None and frame.predict(speedups.topic(result), *asked)
    measuring(frame, plan(result.setup), result.run)
    picture(result, veiled)
    if not veiled and not frame.present:
        findings(result)
    frame.footer(result, frame.check(result), speedups_snippets.snippet(result))
    frame.write_address()


explorer()
