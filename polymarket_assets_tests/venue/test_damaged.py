"""Payloads damaged at random are read or malformed, never anything else: property over every case and recording."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from polymarket_assets.venue.errors import MalformedPayload
from polymarket_assets_tests.venue import recorded
from polymarket_assets_tests.venue.test_parse import CASES

# Of a file with hundreds of like rows, these many are damaged.
ROWS_A_FILE = 3

WRONG: list[Any] = [None, True, False, 0, -1, 1.5, 10**30, -(10**30), float("nan"), float("inf"), "", "NaN", "-1", "1e999", "9" * 5000, "NOW()", "\ud800", "𝟙", [], [None], {}, {"a": 1}, [[[[]]]], [["x"] * 3]]  # fmt: skip

Damage = Callable[[random.Random, Any], Any]


def _places(value: Any) -> list[tuple[Any, Any]]:
    """Every (container, key) in a document."""
    found: list[tuple[Any, Any]] = []
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, each in pairs:
        found += [(value, key), *_places(each)]
    return found


def dropped(dice: random.Random, row: Any) -> Any:
    places = _places(row)
    if places:
        container, key = dice.choice(places)
        del container[key]
    return row


def retyped(dice: random.Random, row: Any) -> Any:
    places = _places(row)
    if not places:
        return dice.choice(WRONG)
    container, key = dice.choice(places)
    container[key] = dice.choice(WRONG)
    return row


def cut(dice: random.Random, row: Any) -> Any:
    text = row if isinstance(row, str) else json.dumps(row)
    return text[: dice.randrange(len(text))]


def scrambled(dice: random.Random, row: Any) -> Any:
    text = bytearray((row if isinstance(row, str) else json.dumps(row)).encode())
    for _ in range(dice.randint(1, 5)):
        text[dice.randrange(len(text))] = dice.randrange(256)
    return bytes(text)


def damaged_message(damage: Damage) -> Damage:
    """A socket message is text: damage what it says, not the text around it."""

    def of_text(dice: random.Random, text: Any) -> Any:
        try:
            said = json.loads(text)
        except ValueError:
            return text
        return json.dumps(damage(dice, said))

    return of_text


def _cases() -> list[tuple[str, Path]]:
    """Our own, which are always there, and the recorded ones."""
    own = [(name, CASES) for name in recorded.files(CASES)]
    return own + [(name, recorded.FOLDER) for name in recorded.files(recorded.FOLDER)]


READABLE = [(name, folder) for name, folder in _cases() if (form := recorded.form_of(name)) and form.parser]


@pytest.mark.parametrize("damage", [dropped, retyped, cut, scrambled])
@pytest.mark.parametrize(
    ("name", "folder"), READABLE, ids=[f"{folder.name}/{name}" for name, folder in READABLE]
)
def test_damage_is_read_or_malformed(name: str, folder: Path, damage: Damage) -> None:
    """Any other exception would end a walk of 80,000 markets, or the streamer, for the sake of one row."""
    form = recorded.form_of(name)
    assert form is not None
    parser = form.parser
    assert parser is not None
    rows = recorded.rows(folder, name)[:ROWS_A_FILE]
    harm = damaged_message(damage) if isinstance(rows[0], str) and damage in (dropped, retyped) else damage

    @settings(max_examples=40, deadline=None)
    @given(st.integers(0, len(rows) - 1), st.integers(0, 2**32))
    def holds(which: int, seed: int) -> None:
        with suppress(MalformedPayload):
            parser(harm(random.Random(seed), copy.deepcopy(rows[which])))

    holds()
