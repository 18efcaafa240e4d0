"""Memory shared with numpy and torch: what one side writes, the other sees."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

import engine
from engine.errors import BackendError, DTypeError
from engine.interop import from_dlpack, from_torch

pytestmark = pytest.mark.usefixtures("either_backend")

DTYPES = [torch.float32, torch.float64, torch.int64, torch.bool]

VIEWS: dict[str, Callable[[Any], Any]] = {
    "whole": lambda x: x,
    "transposed": lambda x: x.T,
    "offset": lambda x: x[1:, 2:],
    "steps": lambda x: x[::2, ::3],
    "one column": lambda x: x[:, 2],
    "transposed steps": lambda x: x.T[1::2, 1:],
    "one element": lambda x: x[2, 3],
}


def grid(dtype: Any) -> torch.Tensor:
    return (torch.arange(24).reshape(4, 6) % 5).to(dtype)


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("dtype", DTYPES)
def test_torch_memory_is_shared_both_ways(dtype: Any, view: str) -> None:
    theirs = VIEWS[view](grid(dtype))
    ours = from_torch(theirs)
    assert ours.shape == tuple(theirs.shape)
    assert ours.dtype.name == str(dtype).removeprefix("torch.")
    assert ours.tolist() == theirs.tolist()
    ours.fill_(1)
    assert theirs.tolist() == torch.ones_like(theirs).tolist()
    theirs.zero_()
    assert ours.tolist() == torch.zeros_like(theirs).tolist()


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("dtype", DTYPES)
def test_writing_through_a_view_leaves_the_rest_alone(dtype: Any, view: str) -> None:
    base, expected = grid(dtype), grid(dtype)
    from_torch(VIEWS[view](base)).fill_(1)
    VIEWS[view](expected).fill_(1)
    assert torch.equal(base, expected)


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("importer", [torch.from_dlpack, np.from_dlpack])
def test_our_memory_is_shared_both_ways(importer: Any, dtype: Any, view: str) -> None:
    ours = VIEWS[view](engine.tensor(grid(dtype).numpy()))
    theirs = importer(ours)
    assert tuple(theirs.shape) == ours.shape
    assert str(theirs.dtype).removeprefix("torch.") == ours.dtype.name
    assert theirs.tolist() == ours.tolist() == VIEWS[view](grid(dtype)).tolist()
    theirs[...] = 0
    assert not ours.any()
    ours.fill_(1)
    assert theirs.all()


@pytest.mark.parametrize("shape", [(), (1,), (0,), (3, 0, 2), (1, 3, 1)])
def test_shapes_without_dimensions_or_elements(shape: tuple[int, ...]) -> None:
    assert from_torch(torch.ones(shape)).shape == shape
    assert tuple(torch.from_dlpack(engine.ones(shape)).shape) == shape
    assert np.from_dlpack(engine.ones(shape)).shape == shape


def test_expanded_views_keep_their_stride_of_zero() -> None:
    ours = from_torch(torch.arange(3.0).expand(4, 3))
    assert ours.stride() == (0, 1)
    assert ours.sum(0).tolist() == [0.0, 4.0, 8.0]
    assert torch.from_dlpack(engine.arange(3).expand(4, 3)).stride() == (0, 1)


def test_reversed_views_from_numpy_are_shared() -> None:
    theirs = np.arange(12.0).reshape(3, 4)[::-1, ::-2]
    ours = from_dlpack(theirs)
    assert ours.stride() == (-4, -2)
    assert ours.tolist() == theirs.tolist()
    theirs[0, 0] = 50.0
    assert ours[0, 0].item() == 50.0
    ours[2] = -1.0
    assert theirs[2].tolist() == [-1.0, -1.0]
    assert (ours @ ours.T).tolist() == (theirs @ theirs.T).tolist()


def test_reversed_views_go_out_as_a_copy() -> None:
    """torch aborts the process when DLPack gives it a negative stride."""
    ours = engine.arange(4).flip(0)
    assert torch.from_dlpack(ours).tolist() == np.from_dlpack(ours).tolist() == [3, 2, 1, 0]
    with pytest.raises(BufferError, match="negative strides"):
        np.from_dlpack(ours, copy=False)


def test_a_copy_that_is_asked_for_is_one() -> None:
    ours = engine.zeros(3)
    np.from_dlpack(ours, copy=True)[0] = 1.0
    torch.from_dlpack(ours, copy=True)[0] = 1.0
    assert ours.tolist() == [0.0, 0.0, 0.0]


def test_read_only_memory_is_copied() -> None:
    theirs = np.arange(6.0).reshape(2, 3)
    theirs.flags.writeable = False
    for view in (theirs, theirs.T, theirs[:, ::2]):
        ours = from_dlpack(view)
        assert ours.tolist() == view.tolist()
        ours.fill_(9.0)
    assert theirs.tolist() == [[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]]


@pytest.mark.parametrize(
    ("theirs", "expected"),
    [
        (torch.tensor([1, 2, 3], dtype=torch.int32), engine.int64),
        (torch.tensor([1, 2, 3], dtype=torch.uint8), engine.int64),
        (torch.tensor([0.5, 2.0], dtype=torch.float16), engine.float32),
    ],
)
def test_types_that_we_do_not_have_are_converted(theirs: Any, expected: Any) -> None:
    ours = from_torch(theirs)
    assert ours.dtype is expected
    assert ours.tolist() == theirs.tolist()


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.complex64])
def test_types_that_cannot_be_held_are_refused(dtype: Any) -> None:
    with pytest.raises(DTypeError, match=str(dtype).removeprefix("torch.")):
        from_torch(torch.ones(2, dtype=dtype))


def test_what_is_being_differentiated_is_not_shared() -> None:
    theirs, ours = torch.ones(2, requires_grad=True), engine.ones(2, requires_grad=True)
    with pytest.raises(BufferError, match="detach"):
        from_torch(theirs)
    for importer in (torch.from_dlpack, np.from_dlpack):
        for tensor in (ours, ours * 2):
            with pytest.raises(BufferError, match="detach"):
                importer(tensor)
    assert from_torch(theirs.detach()).tolist() == torch.from_dlpack(ours.detach()).tolist() == [1.0, 1.0]


def test_other_memories_are_refused() -> None:
    class OnGPU:
        def __dlpack_device__(self) -> tuple[int, int]:
            return (2, 0)

    with pytest.raises(BackendError, match="main memory"):
        from_dlpack(OnGPU())


def test_a_round_trip_ends_on_the_same_memory() -> None:
    start = torch.arange(6.0).reshape(2, 3)
    end = torch.from_dlpack(from_torch(start[:, 1:]))
    assert end.data_ptr() == start[:, 1:].data_ptr()
    assert end.stride() == start[:, 1:].stride()
    ours = engine.ones(3)
    assert np.shares_memory(from_dlpack(ours).numpy(), ours.numpy())


def test_memory_outlives_the_library_that_made_it() -> None:
    ours = from_torch(torch.full((1000,), 3.0))
    theirs = torch.from_dlpack(engine.full((1000,), 4.0))
    torch.zeros(1000), engine.zeros(1000)  # would reuse memory that was freed
    assert ours.sum().item() == 3000.0
    assert theirs.sum().item() == 4000.0


def test_training_writes_into_torch_memory() -> None:
    weight = torch.tensor([[1.0, -2.0]], dtype=torch.float64)
    ours = from_torch(weight).requires_grad_()
    (ours * ours).sum().backward()
    with engine.no_grad():
        ours -= 0.25 * ours.grad
    assert weight.tolist() == [[0.5, -1.0]]
