"""A page is a list of parts; each is made by itself, so that what fails says so in its own place."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

from console.blocks import Block, Failed
from console.kept import NotYet
from console.place import Place
from polymarket_assets.masking import masked
from polymarket_assets.venue.errors import PolymarketError, Unavailable, printable

log = logging.getLogger(__name__)
T = TypeVar("T")

# Longer ones repeat what was asked; the log has them whole.
MOST_SAID = 600


@dataclass(frozen=True)
class Asked:
    """What a page was asked for: the market, event, table or version it is about, and the parameters of the address."""

    of: str = ""
    given: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Part:
    """A section of a page.

    `build(place, asked)` gives its blocks; what it raises is shown in their place. It is asked again every `every_s`
    seconds; 0: only with the page.
    """

    name: str
    title: str
    build: Callable[[Place, Asked], Iterable[Block]]
    every_s: float = 15.0
    remark: str = ""


@dataclass(frozen=True)
class Page:
    """A page: `name` is its path, `of` what its address names beside (`market`), if anything; `controls` a template above the parts.

    `lists` are the parts it has where it names nothing.
    One that is not `listed` is reached from others only.
    """

    name: str
    title: str
    parts: Sequence[Part]
    of: str = ""
    says: str = ""
    controls: str = ""
    lists: Sequence[Part] = ()
    listed: bool = True

    def part(self, name: str) -> Part | None:
        """The part of a name."""
        return next((part for part in (*self.parts, *self.lists) if part.name == name), None)


def made(part: Part, place: Place, asked: Asked) -> tuple[list[Block], datetime]:
    """The blocks of a part, or the one that says why not; and when."""
    at = place.clock()
    blocks: list[Block] | Failed = told(part.title, lambda: list(part.build(place, asked)))
    return [blocks] if isinstance(blocks, Failed) else blocks, at


def told(what: str, make: Callable[[], T]) -> T | Failed:
    """What is made, or the block that says why it could not be: whatever it is, the rest of the page is none the worse for it."""
    try:
        return make()
    except Exception as e:
        log.log(logging.INFO if isinstance(e, PolymarketError) else logging.ERROR, "%s could not be made", what, exc_info=e)  # fmt: skip
        return failed(e, what)


def failed(error: Exception, what: str) -> Failed:
    """An error in one sentence, without accounts and keys; of what is not of this platform the log says more."""
    if isinstance(error, PolymarketError):
        return Failed(
            printable(masked(str(error)), MOST_SAID),
            isinstance(error, Unavailable),
            isinstance(error, NotYet),
        )
    return Failed(f"{what} could not be made ({type(error).__name__}); the console's log says more", again=True)  # fmt: skip
