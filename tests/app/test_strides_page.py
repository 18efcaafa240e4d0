"""The strides page without a browser: what it shows, refuses and keeps."""

import pytest
import torch
from streamlit.testing.v1 import AppTest

from engine.studies.strides import EXAMPLES
from tests.app import visit
from tests.app.visit import payload


@pytest.fixture
def app() -> AppTest:
    return opened({})


def opened(query: dict[str, str]) -> AppTest:
    return visit.opened("strides", query)


def texts(app: AppTest) -> list[str]:
    return [step["text"] for step in payload(app)["steps"]]


def messages(app: AppTest) -> str:
    return "\n".join(element.value for element in (*app.error, *app.warning))


def markdown(app: AppTest) -> str:
    return "\n".join(element.value for element in app.markdown)


def type_text(app: AppTest, field: str, text: str) -> AppTest:
    return app.text_input(key=f"strides:{field}").set_value(text).run()


def test_it_shows_the_layouts_that_torch_has(app: AppTest) -> None:
    x = torch.arange(48).reshape(6, 8)
    tensors = [x, x.transpose(0, 1), x.transpose(0, 1)[::2], x.transpose(0, 1)[::2].reshape(6, 4)]
    for step, tensor in zip(payload(app)["steps"], tensors, strict=True):
        assert tuple(step["grid"]["shape"]) == tuple(tensor.shape)
        assert tuple(step["grid"]["strides"]) == tensor.stride()
        assert step["grid"]["elements"] == tensor.reshape(-1).tolist()
    assert [step["kind"] for step in payload(app)["steps"]] == ["storage", "view", "view", "copy"]


@pytest.mark.parametrize("name", EXAMPLES)
def test_examples_are_one_click_away(app: AppTest, name: str) -> None:
    app.pills(key="strides_example").set_value(name).run()
    assert payload(app)["steps"][0]["grid"]["shape"] == [int(n) for n in EXAMPLES[name].shape.split(",")]
    assert messages(app) == ""


@pytest.mark.parametrize(
    ("field", "text", "said"),
    [
        ("shape", "2.5, 3", "whole number"),
        ("shape", "3, -4", "negative length"),
        ("shape", "9999, 9999", "elements"),
        ("shape", "1,1,1,1,1,1,1", "at most 6"),
        ("chain", "x.view(", "never closed"),
        ("chain", "x.__class__", "alone means nothing"),
        ("chain", "", "no chain yet"),
    ],
)
def test_bad_input_says_so_and_loses_nothing(app: AppTest, field: str, text: str, said: str) -> None:
    before = payload(app)["steps"]
    type_text(app, field, text)
    assert said in messages(app).replace("\\", "")
    assert app.text_input(key=f"strides:{field}").value == text
    assert payload(app)["steps"] == before
    type_text(app, field, "x.T" if field == "chain" else "2, 3")
    assert messages(app) == ""


def test_a_refused_view_is_explained_beside_torchs_words(app: AppTest) -> None:
    type_text(app, "chain", "x.T.view(48)")
    assert texts(app) == ["x", ".T"]
    assert payload(app)["refused"] == ".view(48)"
    said = markdown(app).replace("\\", "")
    assert "dimension 0 of (48,) would run across dimensions 0 and 1 of (8, 6)" in said
    assert "view size is not compatible" in said
    assert "`.reshape(48)` | (48,) | the right order; copies 192 bytes" in said


def test_explore_mode_refuses_what_break_it_mode_shows() -> None:
    query = {"v": "1", "edit": "strides", "size": "8, 7", "stride": "1, 8", "offset": "0"}
    app = opened(query)
    assert "past the last slot, 47" in messages(app).replace("\\", "")
    assert payload(app)["steps"][-1]["problem"] == ""
    app.toggle(key="strides:break_it").set_value(True).run()
    assert messages(app) == ""
    assert "past the last slot, 47" in payload(app)["steps"][-1]["problem"]
    assert payload(app)["steps"][-1]["grid"]["elements"].count(-1) == 8


def test_the_address_holds_the_page(app: AppTest) -> None:
    type_text(app, "chain", "x[::2].T")
    query = {key: value[0] if isinstance(value, list) else value for key, value in app.query_params.items()}
    assert query["chain"] == "x[::2].T"
    assert payload(opened(query))["steps"] == payload(app)["steps"]


def test_a_link_opens_at_its_step_and_a_new_chain_at_its_last() -> None:
    app = opened({"v": "1", "chain": "x.T[1:]", "step": "1", "axes": "cr"})
    assert (payload(app)["shown"], payload(app)["axes"]) == (1, "cr")
    type_text(app, "chain", "x.T[1:][:, 2]")
    assert (payload(app)["shown"], payload(app)["axes"]) == (3, "")


def test_presenter_mode_shows_the_board_and_no_controls() -> None:
    app = opened({"v": "1", "present": "1"})
    assert payload(app)["present"] is True
    assert not app.text_input


def test_prediction_counts_what_is_copied(app: AppTest) -> None:
    assert payload(app)["veiled"] is True
    app.number_input(key="prediction_guess").set_value(24).run()
    app.button(key="prediction_commit").click().run()
    assert any("Right" in element.value for element in app.markdown)
    assert payload(app)["veiled"] is False


def test_the_walk_is_timed_when_asked(app: AppTest) -> None:
    app.button(key="strides_measure").click().run()
    assert "time an element" in markdown(app)
    assert "as long as a contiguous one" in markdown(app)


def test_the_clinic_explains_shapes_that_do_not_broadcast(app: AppTest) -> None:
    said = markdown(app).replace("\\", "")
    assert "dimension 1 of (4, 3) is 3 and dimension 0 of (4,) is 4" in said
    assert "non-singleton dimension 1" in said
    assert "`b.unsqueeze(1)`" in said
    app.text_input(key="clinic_shapes").set_value("(4, 3) and (nonsense)").run()
    assert "whole number" in messages(app)
    app.text_input(key="clinic_shapes").set_value("(4, 3) and (3,)").run()
    assert "They broadcast to (4, 3)" in markdown(app)
