"""Viewers of a broadcast without a browser: websockets that count what they are sent."""

from __future__ import annotations

import asyncio
import struct
import time
from dataclasses import dataclass

from websockets.asyncio.client import connect

CONNECT_TIMEOUT = 30.0  # seconds
SETTLING = 1.5  # seconds: what was recorded before they came is sent first


@dataclass(frozen=True)
class Viewed:
    """What one viewer got, a second."""

    frames: float
    messages: float


async def watched(server_url: str, view: str, viewers: int, seconds: float) -> list[Viewed]:
    """So many viewers of the broadcast of this name, all at once."""
    address = f"{server_url.replace('http', 'ws', 1)}/live/{view}"
    return await asyncio.gather(*(_watch(address, seconds) for _ in range(viewers)))


async def _watch(address: str, seconds: float) -> Viewed:
    """Count after a while in which what is there already arrives. Each message begins with two whole numbers:
    the shape of its rows and how many there are."""
    frames = messages = 0
    async with connect(address, compression=None, max_size=None, open_timeout=CONNECT_TIMEOUT) as socket:
        begin = time.monotonic() + SETTLING
        end = begin + seconds
        while (left := end - time.monotonic()) > 0.0:
            try:
                async with asyncio.timeout(left):
                    message = await socket.recv()
            except TimeoutError:
                break
            if isinstance(message, bytes) and time.monotonic() >= begin:
                frames += struct.unpack("<II", message[:8])[1]
                messages += 1
    return Viewed(frames / seconds, messages / seconds)
