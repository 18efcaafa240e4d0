"""Recording somebody's own training run, and reading the file that this leaves.

`record` watches torch and the engine in the user's own process and writes a `Trace`; `read` opens one.
"""

from engine.tracing.files import TraceFile, TraceFileError, read
from engine.tracing.record import record

__all__ = ["TraceFile", "TraceFileError", "read", "record"]
