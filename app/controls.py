"""Setup -> widgets: the control that fits a field's type, bounds and help, bound to the page's setup."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Literal, get_args, get_origin

import streamlit as st
from annotated_types import Ge, Le
from pydantic.fields import FieldInfo

if TYPE_CHECKING:
    from app.page import Frame


def control(frame: Frame, name: str, **appearance: Any) -> None:
    """Show the widget of one field; a change updates the setup, and the setup decides what is shown.

    Presenter mode shows only the controls that its link keeps.
    `appearance` goes to the Streamlit widget (label, height, format…); `options` and `format_func`
    turn a field into a choice, of these and of the value that a link may have brought. A text with a
    height has room for several lines.
    """
    if frame.present and name not in frame.shown:
        return
    field = frame.study.setup.model_fields[name]
    key = f"{frame.study.name}:{name}"
    value = getattr(frame.setup, name)
    if frame.is_fresh or st.session_state.get(key) != value:
        st.session_state[key] = value  # not in every run: it would undo what is being typed
    options = appearance.pop("options", None)
    widget, settings = _widget(field, options and _with(value, options), "height" in appearance)
    settings = {"label": field.title or name, "help": field.description, **settings, **appearance}
    widget(**settings, key=key, on_change=_store, args=(frame, name, key))


def _store(frame: Frame, name: str, key: str) -> None:
    frame.update(**{name: st.session_state[key]})


def _with(value: Any, options: Sequence[Any]) -> Sequence[Any]:
    """Options among which the value is: numbers in their order, a text at the end."""
    if value in options:
        return options
    return [*options, value] if isinstance(value, str) else sorted([*options, value])


def _widget(
    field: FieldInfo, options: Sequence[Any] | None, several_lines: bool
) -> tuple[Callable[..., Any], dict[str, Any]]:
    if options is not None:
        return st.selectbox, {"options": options}
    if get_origin(field.annotation) is Literal:
        return st.segmented_control, {"options": get_args(field.annotation), "required": True}
    if field.annotation is bool:
        return st.toggle, {}
    if field.annotation in (int, float):
        low = next((bound.ge for bound in field.metadata if isinstance(bound, Ge)), None)
        high = next((bound.le for bound in field.metadata if isinstance(bound, Le)), None)
        return st.slider, {"min_value": low, "max_value": high}
    # no `max_chars`: the browser would keep a long text to itself, without a word
    return (st.text_area if several_lines else st.text_input), {}
