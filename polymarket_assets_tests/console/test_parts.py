"""Parts of a page are made one by one, and what stands in them is text, whatever it says."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from console import parts, rendering
from console.blocks import Badge, Block, Chart, Empty, Facts, Failed, Grid, Link, Note, Tile, Tiles
from console.parts import Asked, Part
from console.place import Place
from polymarket_assets.settings import Settings
from polymarket_assets.venue.errors import Refused, Unavailable

NOW = datetime(2026, 11, 2, 13, 40, tzinfo=UTC)
HOSTILE = "<script>alert(1)</script>\"'&"


def place() -> Place:
    return Place(Settings(), clock=lambda: NOW)  # type: ignore[call-arg]


@pytest.mark.parametrize(
    ("error", "said", "again"),
    [
        (Unavailable("the disk is away"), "the disk is away", True),
        (Refused("no such table"), "no such table", False),
        (Unavailable("postgresql://me:secret@host/db is away"), "postgresql://host/db is away", True),
        (ZeroDivisionError("x"), "Trades could not be made (ZeroDivisionError); the console's log says more", True),
        (Refused("a\nb\x1b[31m"), "a\\nb\\x1b[31m", False),
    ],
)  # fmt: skip
def test_what_cannot_be_made_says_why_in_its_place(error: Exception, said: str, again: bool) -> None:
    def build(_: Place, __: Asked) -> Iterator[Block]:
        yield Note("a part that began")
        raise error

    blocks, at = parts.made(Part("trades", "Trades", build), place(), Asked())
    assert (blocks, at) == ([Failed(said, again)], NOW)


def test_a_part_that_needs_a_lake_where_none_is_named_says_what_to_set() -> None:
    blocks, _ = parts.made(Part("x", "X", lambda here, _: [Note(here.lake().root)]), place(), Asked())
    (failed,) = blocks
    assert isinstance(failed, Failed)
    assert "LAKE_ROOT is not set" in failed.why


@pytest.mark.parametrize(
    "block",
    [
        Tiles([Tile(HOSTILE, HOSTILE, HOSTILE)]), Facts([(HOSTILE, HOSTILE)]), Grid([HOSTILE], [[HOSTILE], [Link(HOSTILE, "/x")], [Badge(HOSTILE)]], HOSTILE),
        Note(HOSTILE), Empty(HOSTILE, HOSTILE), Failed(HOSTILE), Chart("x", {"title": HOSTILE}, HOSTILE),
    ],
    ids=lambda block: type(block).__name__,
)  # fmt: skip
def test_html_in_what_the_venue_says_is_text(block: Block) -> None:
    made = rendering.part(Part("x", "X", lambda *_: []), [block], NOW)
    assert "<script>alert" not in made
    assert "alert(1)" in made


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, '<span class="faint">–</span>'), (True, "yes"), (0, "0"), (1234567, "1,234,567"), (0.123456, "0.1235"), (1234.5, "1,234"), ("", ""),
        (NOW, '<time datetime="2026-11-02T13:40:00+00:00">2026-11-02 13:40:00</time>'), (NOW.date(), '<time datetime="2026-11-02">2026-11-02</time>'),
        (Link("it", "/x?a=1&b=2"), '<a href="/x?a=1&amp;b=2">it</a>'), (Badge("LIVE", "good"), '<span class="badge good">LIVE</span>'),
    ],
)  # fmt: skip
def test_a_cell_is_shown_as_what_it_is(value: object, shown: str) -> None:
    made = rendering.part(Part("x", "X", lambda *_: []), [Facts([("it", value)])], NOW)  # type: ignore[list-item]
    assert f"<dd>{shown}</dd>" in made
