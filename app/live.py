"""Live runs over a websocket: frames go to the browser as they are made, what the visitor does comes back.

The connection is the visitor's interest: a closed tab or a page that was left ends it, and its run is paused.
"""

from __future__ import annotations

import asyncio
import json
import secrets
import struct
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit
from weakref import WeakValueDictionary

import numpy as np
from starlette.concurrency import run_in_threadpool
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from engine.training.history import Frame
from engine.training.position import read_position
from engine.training.setup import TrainingSetup
from engine.training.trainer import Trainer, Training

ADDRESS = "/live/"
OWN = 1 / 30  # seconds from one message to the next; each brings the frames made since the last
OTHERS = 1 / 10  # to those who only look on: there may be many of them
GONE = 4404  # what a connection is closed with when its run is no longer there
MOST_AT_ONCE = 200  # frames in a message
LONGEST_MESSAGE = 500  # characters from a browser


class Session:
    """A visitor's run: its trainer and the setup last agreed on; names by which browsers know it.

    token  for the visitor's own page
    view   for those who are to look on, and can do nothing to it
    """

    def __init__(self, begin: Callable[[Any], Training], setup: TrainingSetup) -> None:
        self.trainer = Trainer(begin, setup)
        self.token = published(self.trainer, _trainers)
        self.view = published(self.trainer, _shown)
        self.agreed = setup

    def follow(self, setup: Any) -> Any:
        """Do what was changed on the page; the run as it is then, for the page to show."""
        if (setup.epoch, setup.past) != (self.agreed.epoch, self.agreed.past):
            self.trainer.load(setup)  # another link
        elif setup != self.agreed:
            self.trainer.change(setup)
        still = self.trainer.still()
        self.agreed = still.setup
        return still


Names = WeakValueDictionary[str, Trainer]
_trainers: Names = WeakValueDictionary()
_shown: Names = WeakValueDictionary()


def published(trainer: Trainer, names: Names = _trainers) -> str:
    """A name under which browsers may connect to a trainer, for as long as somebody holds it."""
    token = secrets.token_urlsafe(16)
    names[token] = trainer
    return token


def shown(view: str) -> Trainer | None:
    """The trainer whose run is shown to others under this name, while there is one."""
    return _shown.get(view)


def training() -> int:
    """How many runs are being trained right now."""
    return sum(trainer.running for trainer in list(_trainers.values()))


async def _serve(socket: WebSocket) -> None:
    if not _is_own_page(socket):
        await socket.close()
        return
    await socket.accept()
    token = socket.path_params["token"]
    trainer = _trainers.get(token) or _shown.get(token)
    if trainer is None:
        await socket.close(code=GONE)
        return
    trainer.watch()
    sending = asyncio.create_task(_send(socket, trainer, OWN if token in _trainers else OTHERS))
    try:
        while True:
            wish = await socket.receive_text()
            if token in _trainers:
                await _obey(socket, trainer, wish)
    except (WebSocketDisconnect, RuntimeError):
        pass
    finally:
        sending.cancel()
        trainer.leave()


def _is_own_page(socket: WebSocket) -> bool:
    """Whether the page that asks came from this server: browsers let any page open a websocket anywhere."""
    origin = socket.headers.get("origin")
    return origin is None or urlsplit(origin).netloc == socket.headers.get("host")


async def _obey(socket: WebSocket, trainer: Trainer, text: str) -> None:
    """Do what the visitor asked for; say what was wrong with it, if something was."""
    try:
        if len(text) > LONGEST_MESSAGE:
            raise ValueError("that was too long")
        wish = json.loads(text)
        await run_in_threadpool(_grant, trainer, wish)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        await socket.send_text(json.dumps({"kind": "problem", "text": str(error)}))


def _grant(trainer: Trainer, wish: dict[str, Any]) -> None:
    match wish["do"]:
        case "play":
            trainer.play()
        case "pause":
            trainer.pause()
        case "step":
            trainer.step(wish["what"] if wish["what"] in ("sample", "batch") else "epoch")
        case "go":
            trainer.go_to(read_position(str(wish["to"])))
        case "edit":
            trainer.edit(str(wish["name"]), float(wish["value"]))
        case "speed":
            trainer.speed = min(max(float(wish["value"]), 0.0), 1e4)
        case other:
            raise ValueError(f"{other!r} is not something that can be done")


async def _send(socket: WebSocket, trainer: Trainer, period: float) -> None:
    """Tell a browser what it does not know yet, again and again."""
    history = trainer.history
    recorded = forgotten = shapes = 0
    state: dict[str, Any] = {}
    while True:
        if forgotten < len(history.forgotten):
            last = min(history.forgotten[forgotten:])
            forgotten = len(history.forgotten)
            await socket.send_text(json.dumps({"kind": "forget", "epoch": last.epoch, "used": last.used}))
        if shapes < len(history.shapes):
            await socket.send_text(json.dumps({"kind": "shapes", "shapes": history.shapes}))
            shapes = len(history.shapes)
        frames, recorded = history.since(recorded), history.recorded
        for start in range(0, len(frames), MOST_AT_ONCE):
            for message in _packed(frames[start : start + MOST_AT_ONCE]):
                await socket.send_bytes(message)
        if (now := _state(trainer)) != state:
            state = now
            await socket.send_text(json.dumps(state))
        await asyncio.sleep(period)


def _packed(frames: list[Frame]) -> list[bytes]:
    """Frames as messages: shape and number of rows as uint32, then the rows as float32, all little-endian."""
    messages = []
    for shape in sorted({frame.shape for frame in frames}):
        rows = [frame.row for frame in frames if frame.shape == shape]
        messages.append(struct.pack("<II", shape, len(rows)) + np.stack(rows).astype("<f4").tobytes())
    return messages


def _state(trainer: Trainer) -> dict[str, Any]:
    position = trainer.position
    return {
        "kind": "state",
        "running": trainer.running,
        "epoch": position.epoch,
        "used": position.used,
        "seen": position.seen,
        "pace": round(trainer.pace, 1) if trainer.running else 0,
        "speed": trainer.speed,
        "provisional": trainer.is_provisional,
        "controls": trainer.controls,
        "remark": trainer.remark,
    }


route = WebSocketRoute(f"{ADDRESS}{{token}}", _serve)
