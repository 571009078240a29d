"""What explains a model survives being written down, and nothing else is taken for it."""

from __future__ import annotations

import pytest

from polymarket_assets.learning.explained import Explained
from polymarket_assets.venue.errors import MalformedPayload


def test_what_was_written_is_read_again() -> None:
    given = Explained(
        gains={"spread_c": 0.75, "logit_mid": 0.25},
        effects={"spread_c": [(0.5, -0.1), (2.0, 0.2)], "category": [("sports", 0.05)]},
        learning_curve=[(100, -0.001), (400, 0.002)],
    )
    assert Explained.from_json(given.to_json()) == given
    assert Explained.from_json("{}") == Explained()


@pytest.mark.parametrize("text", ["", "[]", '{"gains": {"a": "much"}}', '{"learning_curve": [[1]]}', b"\xff"])
def test_anything_else_is_malformed(text: str | bytes) -> None:
    with pytest.raises(MalformedPayload):
        Explained.from_json(text)
