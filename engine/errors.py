"""What the tensor engine raises. Each message names the shapes or types involved and says what to do.

The classes derive from those that PyTorch raises, so a program that catches them runs on either.
"""


class ShapeError(RuntimeError, ValueError):
    """Shapes that do not fit together, or a view that strides cannot express."""


class DTypeError(RuntimeError, TypeError):
    """An element type that an operation is not defined for."""


class BackendError(RuntimeError):
    """A backend that is not there, or tensors that live on different ones."""


class InPlaceError(RuntimeError):
    """A value that a gradient needs, or would need, was or is to be overwritten."""


class TraceError(RuntimeError):
    """Something that cannot be known or done while a function is being compiled."""


class DimensionError(IndexError):
    """A dimension, or a place in it, that the tensor does not have."""
