"""Derivatives of functions of numbers or tensors, all made of the two sweeps of `autodiff`.

| derivative | made of |
|---|---|
| `vjp`, cotangent · ∂f/∂x | one reverse sweep |
| `jvp`, ∂f/∂x · direction | one forward sweep |
| `grad`, `grad_and_value`, `derivative` | the vjp of a single number |
| `hvp`, ∂²f/∂x² · direction | the jvp of a vjp |
| `jacobian` | a reverse sweep for each element of the output, or a forward sweep for each of the input |
| `hessian` | the jacobian of a vjp |

Each can be nested in any other, to any order (see `evaluation`). Results are numbers for numbers and tensors
for tensors. One that depends on something outside that requires a gradient has a history; a number is then a
`Scalar`. Several arguments or results come as a list or tuple, as in `torch.autograd.functional`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

from engine.autograd import as_tuple
from engine.errors import ShapeError
from engine.evaluation import Evaluation

Function = Callable[..., Any]


def vjp(function: Function, primals: Any, cotangent: Any = None) -> tuple[Any, Any]:
    """f(primals), and cotangent · ∂f/∂primal for each primal, by one reverse sweep.

    primals    one argument of `function`, or a list or tuple of all of them
    cotangent  of the output's shape, or one for each output; left out it is 1, for a single element

    Raises ShapeError where a cotangent does not fit its output.
    """
    evaluation = Evaluation(function, primals, cotangent)
    if cotangent is None and len(evaluation.outputs) != 1:
        raise ShapeError(f"a function with {len(evaluation.outputs)} outputs needs a cotangent for each")
    outputs, partials = evaluation.finish(evaluation.outputs, evaluation.reverse(cotangent))
    return _like(evaluation.result, outputs), _like(primals, partials)


def jvp(function: Function, primals: Any, directions: Any) -> tuple[Any, Any]:
    """f(primals), and its derivative along `directions`, by one forward sweep.

    primals     one argument of `function`, or a list or tuple of all of them
    directions  as the primals, and of their shapes
    """
    evaluation = Evaluation(function, primals, directions)
    outputs, derivatives = evaluation.finish(evaluation.outputs, evaluation.forward(directions))
    return _like(evaluation.result, outputs), _like(evaluation.result, derivatives)


def grad_and_value(function: Function, argnums: int | tuple[int, ...] | None = None) -> Function:
    """The function (x, y, …) -> (gradient, f(x, y, …)), for an f whose value is one number or element.

    argnums  the arguments to differentiate: one, a tuple of them, or by default all (PyTorch's default is
             the first). The gradient is a tuple, but for one argument, if it is the only one or named by a
             plain number, it is that partial derivative alone.
    """

    def differentiated(*arguments: Any) -> tuple[Any, Any]:
        chosen = [range(len(arguments))[place] for place in _places(argnums, arguments)]

        def of_chosen(*variables: Any) -> Any:
            replaced = dict(zip(chosen, variables, strict=True))
            return function(*(replaced.get(place, value) for place, value in enumerate(arguments)))

        value, partials = vjp(of_chosen, tuple(arguments[place] for place in chosen))
        alone = isinstance(argnums, int) or (argnums is None and len(arguments) == 1)
        return (partials[0] if alone else partials), value

    return differentiated


def _places(argnums: int | tuple[int, ...] | None, arguments: tuple[Any, ...]) -> tuple[int, ...]:
    return tuple(range(len(arguments))) if argnums is None else as_tuple(argnums)


def grad(function: Function, argnums: int | tuple[int, ...] | None = None) -> Function:
    """The gradient function: x, y, … -> (∂f/∂x, ∂f/∂y, …), or ∂f/∂x alone for one argument.

    `argnums` as in `grad_and_value`. `grad(grad(f))` works to any order.
    """
    differentiated = grad_and_value(function, argnums)
    return lambda *arguments: differentiated(*arguments)[0]


def derivative(function: Function, order: int = 1) -> Function:
    """The derivative of this order of a function of one number."""
    for _ in range(order):
        function = grad(function)
    return function


def hvp(function: Function, primals: Any, directions: Any) -> tuple[Any, Any]:
    """f(primals), and its Hessian times `directions`, without ever forming the Hessian.

    Forward over reverse: the derivative of the gradient along one direction is what a forward sweep is for.
    It costs a few evaluations of f, however many arguments there are (Pearlmutter, Fast exact multiplication
    by the Hessian, 1994).
    """

    def gradient_and_value(*variables: Any) -> tuple[Any, ...]:
        value, partials = vjp(function, variables)
        return (*partials, value)

    outputs, derivatives = jvp(gradient_and_value, primals, directions)
    return outputs[-1], _like(primals, derivatives[:-1])


def jacobian(
    function: Function, primals: Any, strategy: Literal["reverse-mode", "forward-mode"] = "reverse-mode"
) -> Any:
    """Every partial derivative: a block [*output.shape, *primal.shape] for each output and primal.

    Blocks are nested by outputs, then by primals, where there are several, as in `torch.func.jacrev`.

    strategy  "reverse-mode" sweeps once for each element of the outputs, "forward-mode" once for each element
              of the primals; the cheaper one is that with fewer
    """
    evaluation = Evaluation(function, primals)
    blocks = evaluation.rows() if strategy == "reverse-mode" else evaluation.columns()
    return _like(evaluation.result, [_like(primals, row) for row in evaluation.finish(*blocks)])


def hessian(function: Function, primals: Any) -> Any:
    """Every second derivative of one number or element: a block [*a.shape, *b.shape] for primals a and b.

    Blocks are nested as in `torch.func.hessian`; forward over reverse like there.
    """

    def gradient(*variables: Any) -> Any:
        return _like(primals, vjp(function, variables)[1])

    return jacobian(gradient, primals, "forward-mode")


def _like(pattern: Any, values: Any) -> Any:
    """Values in the form of `pattern`: a list, a tuple, or one alone."""
    if isinstance(pattern, list):
        return list(values)
    return tuple(values) if isinstance(pattern, tuple) else values[0]
