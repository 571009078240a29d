"""Charts of what was looked at, each made once: making one takes a tenth of a second, and several people look."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any

from console.place import Place

Spec = dict[str, Any]


class _Drawn:
    """The last of each name, and what it is of."""

    def __init__(self, _: Place) -> None:
        self.known: dict[str, tuple[Hashable, Spec]] = {}


def drawn(place: Place, name: str, of: Hashable, make: Callable[[], Spec]) -> Spec:
    """The chart of a name; made anew where it is of something else than the last."""
    known = place.own(_Drawn).known
    held = known.get(name)
    if held is None or held[0] != of:
        held = known[name] = (of, make())
    return held[1]
