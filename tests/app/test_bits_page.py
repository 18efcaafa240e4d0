"""The bits page without a browser, its payload against numpy, and its snippet run for real."""

import runpy
from fractions import Fraction
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from app.figures import bit_conventions, bits
from engine.studies.bits import EXAMPLES, BitsResult, BitsSetup, run
from tests.app import visit
from tests.app.visit import messages, payload

HALF = {"sign": 1, "exponent": 5, "fraction": 10}


@pytest.fixture
def app() -> AppTest:
    return opened({})


def opened(query: dict[str, str]) -> AppTest:
    return visit.opened("bits", query)


def result(**fields: Any) -> BitsResult:
    return run(BitsSetup(**fields))


def made(**fields: Any) -> dict[str, Any]:
    found = result(**fields)
    return bits.payload(
        found, found.setup.number, bit_conventions.table(found, libraries=True), present=False
    )


@pytest.mark.parametrize("name", EXAMPLES)
def test_examples_are_one_click_away_and_strict_json(app: AppTest, name: str) -> None:
    app.pills(key="bits_example").set_value(name).run()
    assert messages(app) == ""
    names = [part.strip() for part in EXAMPLES[name].formats.split(",")]
    assert [row["name"] for row in payload(app)["rows"]] == names


@pytest.mark.parametrize("number", [0.1, -1.5, 3e-7, 1000.0])
def test_rows_hold_numpys_bits_and_what_each_flip_gives(number: float) -> None:
    (row,) = made(number=repr(number), formats="fp16")["rows"]
    code = np.float16(number).view(np.uint16)
    assert "".join(field for _, field in row["parts"]) == f"{int(code):016b}"
    assert [(name, len(field)) for name, field in row["parts"]] == [
        ("sign", 1),
        ("exponent", 5),
        ("fraction", 10),
    ]
    for bit, text in zip(reversed(range(16)), row["flips"], strict=True):
        flipped = float((code ^ np.uint16(1 << bit)).view(np.float16))
        assert float(text) == pytest.approx(flipped, rel=1e-4, nan_ok=True)


@pytest.mark.parametrize("number", ["0.1", "3e-6", "-2.75"])
@pytest.mark.parametrize("name", ["fp16", "fp8_e4m3fn", "q7.8"])
def test_the_formula_gives_the_value(name: str, number: str) -> None:
    found = result(number=number, formats=name)
    (row,) = found.rows
    text = bits.meaning(row).replace("−", "-")
    value = Fraction(1)
    for factor in text.split(" · "):
        value *= factor_value(factor)
    assert value == row.value


def factor_value(text: str) -> Fraction:
    """(-1)^s, (1 + F/2^p), 2^(E - bias), or a whole number to a power."""
    if text.startswith("(-1)^"):
        return Fraction(-1) ** int(text[5:])
    if " + " in text:
        leading, (top, bottom) = text[1:].split(" + ")[0], text.split(" + ")[1].rstrip(")").split("/2^")
        return int(leading) + Fraction(int(top), 2 ** int(bottom))
    base, _, power = text.partition("^")
    first, _, bias = power.strip("()").partition(" - ")
    return Fraction(int(base)) ** (int(first or 1) - int(bias or 0))


def test_errors_are_in_units_of_the_last_place() -> None:
    (row,) = made(number="2049", formats="fp16")["rows"]
    assert row["error"] == "−1 (0.5 ulp)"
    assert row["spacing"] == "2^1"
    assert made(number="1e9", formats="fp16")["rows"][0]["error"] == "overflow"
    assert made(number="1000", formats="int8")["rows"][0]["error"] == "−873 (saturated)"


def test_neighbours_with_the_same_digits_show_their_distance() -> None:
    (row,) = made(number="1", formats="fp64")["rows"]
    assert (row["below"]["text"], row["above"]["text"]) == ("−2^−53", "+2^−52")


@pytest.mark.parametrize("centre", ["0", "0.1", "1e10", "-7e-9"])
@pytest.mark.parametrize("scale", [-40, -4, 0, 5, 60])
def test_the_axis_has_a_few_round_labels(centre: str, scale: int) -> None:
    labels = made(centre=centre, scale=scale)["labels"]
    assert 3 <= sum(abs(label["place"]) <= 1 for label in labels) <= 8
    assert len({label["text"] for label in labels}) == len(labels)


def test_conventions_that_differ_are_lit() -> None:
    table = bit_conventions.table(result(number="465", formats="fp16, fp8_e4m3fn"), libraries=True)
    assert table["columns"] == ["fp16", "fp8_e4m3fn"]
    lit = {row["name"].split()[0] for row in table["rows"] if row["cells"][1] and row["cells"][1]["lit"]}
    assert lit == {"toward", "saturating", "through", "torch"}
    assert f"ml_dtypes {ml_dtypes.__version__}" in [row["name"] for row in table["rows"]]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("a tie", "A tie in `fp8_e4m3fn`"),
        ("too large for E4M3", "Too large for `fp8_e4m3fn`"),
        ("subnormal", "Subnormal in `fp8_e4m3fn`"),
        ("rounded twice", "Rounded twice on the way to `fp16`"),
    ],
)
def test_causes_are_told(name: str, said: str) -> None:
    assert any(said in note for note in bit_conventions.notes(run(EXAMPLES[name])))


# ---- what the reader does


def test_what_was_done_becomes_the_setup() -> None:
    window = {"centre": "0", "scale": 3}
    changed = bits.changed_fields
    assert changed({"name": "code", "value": {"format": "fp16", "code": "0x3c00"}}) == {
        "number": "fp16 0x3c00"
    }
    moved = changed({"name": "number", "value": {**window, "at": 0.25}})
    assert abs(Fraction(moved["number"]) - 2) <= Fraction(8, 250)
    assert (moved["centre"], moved["scale"]) == ("0", 3)
    zoomed = changed({"name": "view", "value": {**window, "at": 0.5, "zoom": 1}})
    assert (Fraction(zoomed["centre"]), zoomed["scale"]) == (4, 2)
    picked = changed({"name": "pick", "value": {**window, "at": 0.4, "format": "fp4_e2m1"}})
    assert picked["number"] == "fp4_e2m1 0x5"  # 3, which is nearest to 3.2
    assert changed({"name": "fit", "value": {}}) == {"centre": "", "scale": 0}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("abc", "“abc” is not a number"),
        ("fp16 0x12345", "needs 17"),
        ("0x3c00", "put the format in front"),
        ("", "Type one"),
    ],
)
def test_a_bad_number_says_so_and_keeps_the_picture(app: AppTest, text: str, said: str) -> None:
    before = payload(app)
    app.query_params["number"] = text
    app.run()
    assert said in messages(app)
    assert payload(app)["typed"] == text
    assert payload(app)["rows"] == before["rows"]


@pytest.mark.parametrize(
    ("text", "said"),
    [("half", "no format “half”"), ("e11m60", "at most 64 bits"), ("", "1 to 8 formats")],
)
def test_an_impossible_format_says_so_and_keeps_the_picture(app: AppTest, text: str, said: str) -> None:
    before = payload(app)
    app.text_input(key="bits:formats").set_value(text).run()
    assert said in messages(app)
    assert payload(app)["rows"] == before["rows"]
    app.text_input(key="bits:formats").set_value("fp16").run()
    assert messages(app) == ""
    assert len(payload(app)["rows"]) == 1


def test_a_link_with_too_many_digits_is_refused() -> None:
    app = opened({"v": "1", "number": "9" * 2000})
    assert "at most 1500 characters" in messages(app)
    assert payload(app)["typed"] == "0.1"


def test_the_address_holds_the_page(app: AppTest) -> None:
    app.selectbox(key="bits:rounding").set_value("toward zero").run()
    query = {key: value[0] if isinstance(value, list) else value for key, value in app.query_params.items()}
    assert query["rounding"] == "toward zero"
    assert set(query) == {"v", *BitsSetup.model_fields}
    assert payload(opened(query)) == payload(app)


def test_prediction_counts_the_formats_that_hold_it(app: AppTest) -> None:
    assert payload(app)["veiled"] is True
    app.number_input(key="prediction_guess").set_value(0).run()
    app.button(key="prediction_commit").click().run()
    assert "Right" in "\n".join(element.value for element in app.markdown)
    assert payload(app)["veiled"] is False


def test_presenter_mode_shows_the_board_and_no_controls() -> None:
    app = opened({"v": "1", "present": "1"})
    assert payload(app)["present"] is True
    assert not app.text_input


@pytest.mark.parametrize("number", ["0.1", "465", "1e999", "nan", "-0"])
def test_the_snippet_prints_what_the_libraries_make_of_it(
    number: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "snippet.py"
    found = result(number=number, formats="fp16, bf16, fp8_e4m3fn")
    file.write_text(bit_conventions.torch_code(found), encoding="utf-8")
    with np.errstate(all="ignore"):
        runpy.run_path(str(file))
        x = np.float64(number)
        expected = [x.astype(np.float16), x.astype(ml_dtypes.bfloat16), x.astype(ml_dtypes.float8_e4m3fn)]
    printed = [line.split()[-1] for line in capsys.readouterr().out.splitlines()]
    assert printed[:3] == [str(float(value)) for value in expected]
    assert len(printed) == 6
