"""`unroll run`: serve the application on one port, or say why not."""

import argparse
import contextlib
import os
import socket
import sys
from collections.abc import Sequence

MAX_FRAME_BYTES = 2**20  # of one message from a browser
BACKLOG = 2048
EVERYWHERE = ("0.0.0.0", "::")


def run(arguments: Sequence[str]) -> int:
    """Serve until interrupted. Returns the exit code: 1 when the address cannot be used."""
    parser = argparse.ArgumentParser(prog="unroll run", description="Serve Unroll to a browser.")
    parser.add_argument("--port", type=port_number, default=8501, help="port to listen on (default: 8501)")
    parser.add_argument("--address", default="127.0.0.1", help="where to listen (default: this machine only)")
    options = parser.parse_args(arguments)
    try:
        listener = listen(options.address, options.port)
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else error
        print(f"unroll: cannot listen on {options.address} port {options.port}: {reason}.", file=sys.stderr)
        print("Choose another port: unroll run --port N, or make run PORT=N.", file=sys.stderr)
        return 1
    with listener, contextlib.suppress(KeyboardInterrupt):
        serve(listener)
    return 0


def port_number(text: str) -> int:
    port = int(text)
    if not 0 <= port < 2**16:
        raise argparse.ArgumentTypeError(f"{port} is not between 0 and 65535")
    return port


def listen(address: str, port: int) -> socket.socket:
    """A socket listening on exactly this address and port; OSError where that is impossible."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    return socket.create_server((address, port), family=family, backlog=BACKLOG)


def url(listener: socket.socket) -> str:
    """The address to type into a browser on this machine."""
    host, port = listener.getsockname()[:2]
    if host in EVERYWHERE:
        host = "localhost"
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def serve(listener: socket.socket) -> None:
    """Answer on `listener` until the process is told to stop."""
    import uvicorn

    from app.asgi import application

    config = uvicorn.Config(
        application,
        ws="websockets-sansio",
        ws_max_size=MAX_FRAME_BYTES,
        ws_per_message_deflate=False,  # costs the server more time than it saves on a campus network
        access_log=False,
        log_level="warning",
        timeout_graceful_shutdown=2,
    )
    print(f"Unroll is running at {url(listener)}  (Ctrl+C stops it)", flush=True)
    uvicorn.Server(config).run(sockets=[listener])
