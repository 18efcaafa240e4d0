"""A visitor without a browser: one websocket that speaks Streamlit's protocol.

The browser opens `/_stcore/stream` with the subprotocols "streamlit" and an XSRF token, asks for a run of
the page in its address, and from then on sends the state of its widgets whenever one changes. The
server answers each request with a run of the script or of one fragment: messages up to
`script_finished`.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from typing import Any

from streamlit.proto.Alert_pb2 import Alert
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.TextArea_pb2 import TextArea
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Origin, Subprotocol

STREAM_PATH = "/_stcore/stream"
# what a browser without an XSRF cookie sends
SUBPROTOCOLS = (Subprotocol("streamlit"), Subprotocol("PLACEHOLDER_AUTH_TOKEN"))
CACHED_RUNS = 2  # runs for which a browser keeps a large message (global.maxCachedMessageAge)
CONNECT_TIMEOUT = 30.0  # seconds


class PageError(RuntimeError):
    """The page answered with something that a visitor would call broken."""


@dataclass
class Reply:
    """One run of the page, as it arrived."""

    seconds: float = 0.0  # from sending the request to `script_finished`
    size: int = 0  # bytes of all its messages
    graph: str = ""  # what the graph player was sent, as JSON
    problems: list[str] = field(default_factory=list)


class Visitor:
    """One session. Use as an async context manager: entering connects, leaving closes."""

    def __init__(self, server_url: str, page: str) -> None:
        self.server_url = server_url
        self.page = page
        self.socket: ClientConnection | None = None
        self.page_script_hash = ""
        self.query_string = ""
        self.program: TextArea | None = None
        self.fragment_id = ""  # of the fragment that the program's text area is part of
        self.cached: dict[str, int] = {}  # hash of a large message -> the run in which it was last seen
        self.runs = 0

    async def __aenter__(self) -> Visitor:
        self.socket = await connect(
            self.server_url.replace("http", "ws", 1) + STREAM_PATH,
            subprotocols=SUBPROTOCOLS,
            origin=Origin(self.server_url),
            compression=None,
            max_size=None,
            open_timeout=CONNECT_TIMEOUT,
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        if self.socket is not None:
            await self.socket.close()

    async def open_page(self) -> Reply:
        """The first run; finds the text area that holds the program."""
        request = BackMsg()
        request.rerun_script.page_name = self.page
        reply = await self._run(request)
        if self.program is None:
            reply.problems.append(f"the page {self.page!r} has no text area")
        return reply

    async def enter(self, program: str) -> Reply:
        """Type a program and leave the text area; the reply must show the graph of this program."""
        if self.program is None:
            raise PageError("there is no text area to type into")
        request = BackMsg()
        state = request.rerun_script
        state.page_script_hash = self.page_script_hash
        state.query_string = self.query_string
        state.fragment_id = self.fragment_id
        state.cached_message_hashes.extend(self.cached)
        widget = state.widget_states.widgets.add()
        widget.id = self.program.id
        widget.string_value = program
        reply = await self._run(request)
        if json.dumps(program) not in reply.graph:
            reply.problems.append("the graph shown is not that of the program entered")
        return reply

    async def _run(self, request: BackMsg) -> Reply:
        assert self.socket is not None
        reply = Reply()
        start = time.perf_counter()
        await self.socket.send(request.SerializeToString())
        finished = False
        while not finished:
            data = await self.socket.recv(decode=False)
            reply.size += len(data)
            message = ForwardMsg.FromString(data)
            finished = self._receive(message, reply)
        reply.seconds = time.perf_counter() - start
        self._forget_old_messages()
        return reply

    def _receive(self, message: ForwardMsg, reply: Reply) -> bool:
        """Take note of one message; says whether it ends the run."""
        kind = message.WhichOneof("type")
        if kind == "delta" and message.delta.WhichOneof("type") == "new_element":
            if message.metadata.cacheable:
                self.cached[message.hash] = self.runs
            self._receive_element(message.delta.new_element, message.delta.fragment_id, reply)
        elif kind == "ref_hash":
            self.cached[message.ref_hash] = self.runs
        elif kind == "new_session":
            self.page_script_hash = message.new_session.page_script_hash
        elif kind == "page_info_changed":
            self.query_string = message.page_info_changed.query_string
        elif kind == "page_not_found":
            reply.problems.append(f"there is no page {self.page!r}")
        # a run that was cut short is followed by the one that replaced it
        return kind == "script_finished" and message.script_finished != ForwardMsg.FINISHED_EARLY_FOR_RERUN

    def _receive_element(self, element: Any, fragment_id: str, reply: Reply) -> None:
        kind = element.WhichOneof("type")
        if kind == "text_area" and (self.program is None or element.text_area.id == self.program.id):
            self.program, self.fragment_id = element.text_area, fragment_id
        elif kind == "exception" and not element.exception.is_warning:
            reply.problems.append(f"{element.exception.type}: {element.exception.message}")
        elif kind == "alert" and element.alert.format == Alert.ERROR:
            reply.problems.append(f"error shown: {element.alert.body}")
        elif kind == "bidi_component":
            reply.graph = element.bidi_component.json or element.bidi_component.mixed.json

    def _forget_old_messages(self) -> None:
        self.runs += 1
        self.cached = {key: run for key, run in self.cached.items() if self.runs - run <= CACHED_RUNS}
