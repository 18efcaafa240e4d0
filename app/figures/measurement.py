"""A measurement in words: when and where it was made, and how far one has come."""

from __future__ import annotations

from datetime import datetime

from engine.measure import Run, Ticket

BUSY = 0.25  # share of the machine's cores used by others from which figures are not to be trusted


def measured(run: Run | None, here: str) -> str:
    """Markdown: where and when, and under which load."""
    if run is None:
        return ":gray[Nothing of this has been measured on this machine yet.]"
    when = datetime.fromisoformat(run.date)
    where = "on this machine" if run.machine == here else "on another machine"
    parts = [f"Measured {where} ({run.machine}), {when:%d %B %Y, %H:%M} UTC"]
    if run.load is not None:
        busy = f"others used {run.load:.0%} of it meanwhile"
        parts.append(f":orange[{busy}: expect noise]" if run.load > BUSY else busy)
    if not run.complete:
        parts.append(":orange[stopped before the end]")
    return " · ".join(parts)


def progress(ticket: Ticket) -> tuple[float, str]:
    """The share that is done, and what is going on."""
    if ticket.state == "waiting":
        before = ticket.position
        others = f"{before} measurement{'' if before == 1 else 's'} before yours"
        return 0.0, f"Waiting: {others}. One runs at a time, or they would measure each other."
    done, total = len(ticket.timings), max(ticket.total, 1)
    return min(done / total, 1.0), f"Measuring {ticket.doing}: {done} of {ticket.total} done"


def stopped(ticket: Ticket) -> str:
    """What is left of a measurement that was stopped."""
    reached = (
        f"{len(ticket.timings)} of {ticket.total} were measured" if ticket.total else "nothing was measured"
    )
    return f"stopped: {reached}; a complete measurement made before stays"
