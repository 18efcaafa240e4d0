"""Matmul ladder and roofline: one matrix product, eight ways, against what this machine can do."""

from collections.abc import Sequence

import streamlit as st

from app.components.bundle import event
from app.components.cache_picture import cache_picture
from app.components.error_chart import error_chart
from app.components.ladder_bars import ladder_bars
from app.examples import experiments
from app.figures import ladder, ladder_charts, ladder_layout, ladder_memory
from app.measuring import measuring, refuse_links
from app.page import Frame
from engine.studies.ladder import EXAMPLES, LadderResult
from engine.studies.ladder_plans import plan
from engine.studies.ladder_setup import REAL_SIDES, SIDES

CONTROLS = {
    "Ladder": ("side", "seed"),
    "Sizes": ("seed",),
    "Block size": ("side", "l1", "seed"),
    "Cache": ("order", "small", "block", "line", "l1", "l1_ways", "l2", "l2_ways", "real_side", "seed"),
    "Batch": ("batch", "seed"),
    "Sparse": ("side", "seed"),
    "Working set": ("seed",),
    "Data layout": ("seed",),
}
OPTIONS: dict[str, Sequence[int]] = {
    "side": SIDES,
    "real_side": REAL_SIDES,
    "line": (4, 16, 32, 64, 128),
    "l1": (128, 256, 512, 1024, 2048, 4096),
    "l2": (512, 1024, 2048, 4096, 8192),
    "l1_ways": (1, 2, 4, 8, 64),
    "l2_ways": (1, 2, 4, 8, 64),
}
WIDTHS = {"batch": 320, "order": "content", "small": 160, "block": 130, "seed": 100}

frame = Frame("ladder")
frame.header(
    "Three plain loops leave most of a processor idle; each rung of the ladder puts more of it to work.",
    "Goto and van de Geijn 2008 · Williams, Waterman and Patterson 2009 · Cornell CS 6787",
)


def move_batch() -> None:
    if change := event("ladder_chart", "change"):
        frame.update(**ladder_charts.changed_fields(change))


def move_block() -> None:
    if change := event("ladder_traffic", "change"):
        frame.update(**ladder_memory.nearest_block(change))


def move_step() -> None:
    if change := event("ladder_cache", "change"):
        frame.update(step=int(change["step"]))


def controls() -> None:
    setup = frame.setup
    experiments(frame, EXAMPLES, lambda e: e == setup.model_copy(update={"step": 0}))
    with st.container(horizontal=True, gap="medium", vertical_alignment="bottom"):
        for name in CONTROLS[setup.experiment]:
            if name == "block" and setup.order != "tiles":
                continue
            frame.control(name, options=OPTIONS.get(name), width=WIDTHS.get(name, 120))


@st.fragment
def explorer() -> None:
    refuse_links(frame)
    if frame.shown or not frame.present:
        controls()
    frame.messages()
    result: LadderResult = frame.run()
    asked = ladder.question(result)
    veiled = asked is not None and frame.predict(ladder.topic(result), *asked)
    measuring(frame, plan(result.setup), result.run)
    picture(result, veiled)
    if not veiled:
        st.markdown("\n".join(f"- {note}" for note in ladder.notes(result)))
        if table := ladder.roof_table(result):
            st.markdown(table)
    frame.footer(result, frame.check(result), ladder.torch_code(result))
    frame.write_address()


def picture(result: LadderResult, veiled: bool) -> None:
    experiment = result.setup.experiment
    if experiment == "Cache":
        cache_picture(ladder.picture(result, frame.present, veiled), "ladder_cache", move_step)
        if not veiled:
            st.markdown(ladder.cache_table(result))
        return
    if experiment == "Ladder":
        ladder_bars(ladder_charts.bars(result, frame.present, veiled), "ladder_bars")
        if frame.present:  # the chart would give away what the bars reveal one by one
            return
    if experiment == "Block size":
        traffic = ladder_memory.traffic(result, frame.present, veiled)
        error_chart(traffic, "ladder_traffic", move_block)
    error_chart(ladder_charts.chart(result, frame.present, veiled), "ladder_chart", move_batch)
    if experiment == "Data layout" and not veiled:
        st.markdown(ladder_layout.table(result))
    if experiment == "Ladder" and result.run:
        st.markdown("**Where the time goes**: making the code, launching it, one product")
        ladder_bars(ladder_charts.phases(result, veiled), "ladder_phases")


explorer()
