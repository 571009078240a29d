"""The venue: a simulator that ends, and comes back as it was or in another generation."""

from __future__ import annotations

import random
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import simulator
from drills.alert_place import Place
from drills.forced import Forced

# Below those that the system hands to whoever asks for any: a venue that is away for a moment finds its own again.
PORTS = range(20_000, 32_000, 4)
# Generations of the Data API that answer.
BOTH = {"v1_data": True, "v2_data": True}
FORMER = {"v1_data": True, "v2_data": False}


class Venue:
    """A simulator on one port, that can be ended and started as another."""

    def __init__(self, place: Place) -> None:
        self._place, self._port = place, _three_free_ports()
        self._running: Any = None

    def be(self, **generation: Any) -> None:
        """Answer in these generations from now on."""
        self.stop()
        self._running = simulator.start(seed=7, ledger=self._place.folder / "ledger.jsonl", port=self._port, **generation)  # fmt: skip
        named = ("gamma", "clob", "data")
        self._place.more |= {
            f"polymarket_{name}_url": getattr(self._running, f"{name}_url") for name in named
        }

    def stop(self) -> None:
        """Answer nobody."""
        if self._running is not None:
            self._running.stop()
            self._running = None


def _three_free_ports() -> int:
    """The first of three in a row that nobody listens on now."""
    return next(first for first in random.sample(PORTS, len(PORTS)) if all(map(_is_free, range(first, first + 3))))  # fmt: skip


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


@contextmanager
def _answering(place: Place, **generation: Any) -> Iterator[Venue]:
    venue = Venue(place)
    venue.be(**generation)
    try:
        yield venue
    finally:
        venue.stop()


@contextmanager
def away(place: Place) -> Iterator[Forced]:
    """The venue's processes end, and are started again."""
    with _answering(place) as venue:
        yield Forced(venue.stop, venue.be)


@contextmanager
def former(place: Place) -> Iterator[Forced]:
    """The Data API answers in v1 alone, and in both again."""
    with _answering(place, **BOTH) as venue:
        yield Forced(partial(venue.be, **FORMER), partial(venue.be, **BOTH))


@contextmanager
def changed(place: Place) -> Iterator[Forced]:
    """The Data API answers in v2 from now on, too."""
    with _answering(place, **FORMER) as venue:
        place.look()
        yield Forced(partial(venue.be, **BOTH))
