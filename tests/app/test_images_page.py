"""The images page without a browser."""

import json

import numpy as np
import pytest

from app.figures import images
from engine.images.run import Run
from engine.studies.images import EXAMPLES, ImagesResult, ImagesSetup
from tests.app import visit
from tests.app.visit import messages, payload


def test_it_opens_and_examples_are_one_click_away() -> None:
    app = visit.opened("images", {"v": "1", "channels": "2", "hidden": "0"})
    assert payload(app)["moment"] == "0"
    for name in ("Larger kernels", "Above 97 %"):
        app.pills(key="images_example").set_value(name).run()
        assert messages(app) == ""
        assert f"channels={EXAMPLES[name].channels}" in json.dumps(app.query_params) or payload(app)


@pytest.mark.parametrize(
    ("field", "text", "said"),
    [
        ("channels", "900", "1 to 16 channels"),
        ("probe", "seven", "an image is a number"),
        ("hidden", "1000", "Hidden units"),
        ("kernel", "4", "Kernel"),
    ],
)
def test_a_bad_link_says_what_is_wrong(field: str, text: str, said: str) -> None:
    app = visit.opened("images", {"v": "1", field: text})
    assert said in messages(app)
    assert payload(app)["size"] == 8


def test_tables_count_and_describe() -> None:
    result = ImagesResult(Run(ImagesSetup(channels="2", hidden=0)).still())
    assert "| **all** | | **350** |" in images.own_costs(result)  # 2·(9+1) + 10·(32+1)
    assert "**60,965,224**" in images.alexnet_costs()
    weight = np.asarray(result.still.net.last.weight.detach())
    assert f"| 10 × 32 | 320 | {weight.min():.3g} ·" in images.modules(result)
    assert json.dumps(images.payload(result, "token", present=False), allow_nan=False)
