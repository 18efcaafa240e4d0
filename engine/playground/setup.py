"""The controls of the Playground: points, net, loss and optimiser, and how the run came to where it is."""

from __future__ import annotations

from typing import ClassVar, Literal, get_args

from pydantic import Field, field_validator

from engine.data import synthetic
from engine.expression import ExpressionError, Program, parse
from engine.training.setup import GradientSetup

FEATURES = ("x1", "x2", "x1^2", "x2^2", "x1*x2", "sin(x1)", "sin(x2)", "cos(x1)", "cos(x2)")
ACTIVATIONS = ("tanh", "relu", "sigmoid", "linear", "gelu", "sin")
Points = Literal[
    "circle", "xor", "gauss", "spiral", "reg-plane", "reg-gauss",
    "Simple", "Diag", "Split", "Xor", "Circle", "Spiral", "y > f(x)", "own points",
]  # fmt: skip
SETS = get_args(Points)
MOST_LAYERS = 8
MOST_UNITS = 32
MOST_POINTS = 2000
MOST_OWN_POINTS = 600
OWN_REACH = 6
LONGEST_POINTS = 24 * MOST_OWN_POINTS

SOME_POINTS = "1 1 0; 2 1 0; 1 2 0; -2 -1 1; -1 -2 1; -3 -2 1; 2 -3 0; -3 2 1"
FEWEST_OF_A_CLASS = 2

Layer = tuple[int, str]  # units and their activation


class PlaygroundSetup(GradientSetup):
    """Points, net, loss and optimiser."""

    live: ClassVar[tuple[str, ...]] = (
        *GradientSetup.live, "hidden", "batch_norm", "residual", "dropout", "loss", "penalty", "penalty_rate",
    )  # fmt: skip

    looking: ClassVar[tuple[str, ...]] = ("weight",)

    data: Points = Field(
        default="circle",
        title="Points",
        description="The sets of TensorFlow Playground (-6 to 6) and, capitalised, of MiniTorch (0 to 1).",
    )
    samples: int = Field(
        default=500,
        ge=20,
        le=MOST_POINTS,
        multiple_of=2,
        title="How many",
        description="Points, of both classes.",
    )
    noise: float = Field(
        default=0.0,
        ge=0.0,
        le=0.5,
        title="Noise",
        description="How far a point is moved before it gets its class.",
    )
    train_share: float = Field(
        default=0.5,
        ge=0.1,
        le=0.9,
        title="Training share",
        description="Of the points; the others are the test points.",
    )
    rule: str = Field(
        default="2*sin(x)",
        max_length=80,
        title="f(x)",
        description="What lies above it is of class 1, what lies below of class 0.",
    )
    points: str = Field(
        default=SOME_POINTS,
        max_length=LONGEST_POINTS,
        title="Own points",
        description="x y class; x y class; …, with classes 0 and 1 and places from -6 to 6.",
    )
    features: str = Field(
        default="x1, x2",
        max_length=120,
        title="Inputs",
        description=f"What the net is shown of a point: {', '.join(FEATURES)}.",
    )
    hidden: str = Field(
        default="4 tanh, 2 tanh",
        max_length=120,
        title="Hidden layers",
        description=f"Units and activation ({', '.join(ACTIVATIONS)}) of each layer.",
    )
    init: Literal["playground", "xavier", "kaiming", "normal", "zeros"] = Field(
        default="playground",
        title="First weights",
        description="playground: uniform within ±0.5, biases 0.1; the others have biases 0.",
    )
    batch_norm: bool = Field(
        default=False,
        title="Batch norm",
        description="Before the activation of each hidden layer; batches then have at least 2 points.",
    )
    residual: bool = Field(
        default=False,
        title="Residual",
        description="Adds a layer's input to its output, where they are of the same size.",
    )
    dropout: float = Field(
        default=0.0,
        ge=0.0,
        le=0.8,
        title="Dropout",
        description="Share of hidden units left out at each step.",
    )
    loss: Literal["squared", "logistic"] = Field(
        default="squared",
        title="Loss",
        description="Half the squared error of a tanh output, as in TensorFlow Playground; or cross entropy.",
    )
    penalty: Literal["none", "L1", "L2"] = Field(
        default="none",
        title="Penalty",
        description="On the weights, added to the loss: rate · Σ|w| or rate · Σw²/2.",
    )
    weight: str = Field(
        default="",
        max_length=20,
        pattern=r"^((weight|bias)(\.\d{1,2}){2,3})?$",
        title="Weight",
        description="Whose gradient is shown: weight.layer.unit.input or bias.layer.unit, from 0.",
    )
    penalty_rate: float = Field(
        default=0.003, ge=0.0, le=10.0, title="Penalty rate", description="How much of the penalty is added."
    )

    @field_validator("features")
    @classmethod
    def _known_features(cls, text: str) -> str:
        return ", ".join(read_features(text))

    @field_validator("hidden")
    @classmethod
    def _known_layers(cls, text: str) -> str:
        return write_layers(read_layers(text))

    @field_validator("rule")
    @classmethod
    def _readable_rule(cls, text: str) -> str:
        read_rule(text)
        return text

    @field_validator("points")
    @classmethod
    def _readable_points(cls, text: str) -> str:
        labels = [label for _, _, label in read_points(text)]
        for label in (0, 1):
            if labels.count(label) < FEWEST_OF_A_CLASS:
                raise ValueError(
                    f"class {label} needs at least {FEWEST_OF_A_CLASS} points, and has {labels.count(label)}"
                )
        return text

    @property
    def least_batch(self) -> int:
        return 2 if self.batch_norm else 1

    @property
    def is_regression(self) -> bool:
        """Whether values are predicted, and not classes."""
        return self.data in ("reg-plane", "reg-gauss")

    @property
    def layers(self) -> list[Layer]:
        return read_layers(self.hidden)

    @property
    def inputs(self) -> list[str]:
        return read_features(self.features)

    @property
    def reach(self) -> tuple[float, float]:
        """Between which values both coordinates lie."""
        return (0.0, 1.0) if self.data in synthetic.MINITORCH else (-OWN_REACH, OWN_REACH)


def read_features(text: str) -> list[str]:
    """The inputs that a text lists, in the order of `FEATURES`; ValueError that names what is unknown."""
    names = [name.strip().replace(" ", "").replace("²", "^2") for name in text.split(",") if name.strip()]
    for name in names:
        if name not in FEATURES:
            raise ValueError(f"{name!r} is not an input; there are {', '.join(FEATURES)}")
    if not names:
        raise ValueError(f"the net needs at least one input of {', '.join(FEATURES)}")
    return [name for name in FEATURES if name in names]


def read_layers(text: str) -> list[Layer]:
    """Layers from "4 tanh, 2 relu"; an activation that is left out is that of the layer before, or tanh."""
    layers: list[Layer] = []
    for part in filter(None, (part.strip() for part in text.split(","))):
        count, _, activation = part.partition(" ")
        activation = activation.strip() or (layers[-1][1] if layers else "tanh")
        if not count.isdecimal() or not 1 <= int(count) <= MOST_UNITS:
            raise ValueError(f"a layer has 1 to {MOST_UNITS} units, as in “4 tanh”, not {part!r}")
        if activation not in ACTIVATIONS:
            raise ValueError(f"{activation!r} is not an activation; there are {', '.join(ACTIVATIONS)}")
        layers.append((int(count), activation))
    if len(layers) > MOST_LAYERS:
        raise ValueError(f"there may be at most {MOST_LAYERS} hidden layers, and these are {len(layers)}")
    return layers


def write_layers(layers: list[Layer]) -> str:
    return ", ".join(f"{units} {activation}" for units, activation in layers)


def read_rule(text: str) -> Program:
    """A program in x alone with one result; ValueError that says what is wrong with the text."""
    try:
        program = parse(text)
    except ExpressionError as error:
        raise ValueError(" ".join(filter(None, (error.message, error.hint)))) from None
    others = [name for name in program.inputs if name != "x"]
    if others or len(program.outputs) != 1:
        raise ValueError(f"write one expression in x, such as 2*sin(x){_without(others)}")
    return program


def _without(names: list[str]) -> str:
    return f", without {', '.join(names)}" if names else ""


def read_points(text: str) -> list[tuple[float, float, int]]:
    """Points from "x y class; …"; ValueError that says which one cannot be read."""
    points = []
    parts = [part for part in text.split(";") if part.strip()]
    if len(parts) > MOST_OWN_POINTS:
        raise ValueError(f"there may be at most {MOST_OWN_POINTS} own points, and these are {len(parts)}")
    for number, part in enumerate(parts, 1):
        try:
            x, y, label = part.split()
            point = float(x), float(y), int(label)
        except ValueError:
            raise ValueError(
                f"point {number} is {part.strip()[:30]!r}; write x y class, as in 1.5 -2 0"
            ) from None
        if not (abs(point[0]) <= OWN_REACH and abs(point[1]) <= OWN_REACH):
            raise ValueError(f"point {number} lies outside of -{OWN_REACH} to {OWN_REACH}")
        if point[2] not in (0, 1):
            raise ValueError(f"point {number} is of class {label}; there are classes 0 and 1")
        points.append(point)
    return points


def write_points(points: list[tuple[float, float, int]]) -> str:
    return "; ".join(f"{x:.4g} {y:.4g} {label}" for x, y, label in points)
