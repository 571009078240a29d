"""What a soaked platform is told that is not so: a programme of faults, spread over the minutes it lasts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

# Of two minutes the issue speaks; a short soak has a fifth of its time.
DOWN_S, DOWN_SHARE = 120.0, 0.2
# A fault is on for long enough to meet several slots of every tier under a minute, or a share of a short soak; seven requests in ten meet it,
# so that it is not left to chance whether one of them does.
LASTS_S, LASTS_SHARE = 30.0, 0.05


@dataclass(frozen=True)
class Lie:
    """A fault, when it begins and how long it lasts."""

    after_s: float
    fault: str
    for_s: float
    given: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_of_listings(self) -> bool:
        """Whether only a listing meets it."""
        return self.given.get("service") == "gamma"

    def __str__(self) -> str:
        said = ", ".join(f"{name} {value}" for name, value in self.given.items())
        return f"{self.fault}{f' ({said})' if said else ''} for {self.for_s:.0f} s"


# When, as a share of the time; what; and how.
_PROGRAMME: tuple[tuple[float, str, dict[str, Any]], ...] = (
    (0.10, "throttle", {"path": "/books", "chance": 0.7, "retry_after_s": 3}),
    (0.16, "error_storm", {"chance": 0.5, "status": 502}),
    (0.22, "truncated_body", {"service": "clob", "chance": 0.7}),
    (0.28, "huge_body", {"path": "/books", "chance": 0.7}),
    (0.34, "slow_loris", {"path": "/books", "chance": 0.7}),
    (0.40, "blocked", {"service": "clob"}),
    (0.46, "repeated_rows", {}),
    (0.46, "omitted_books", {"share": 0.02}),
    (0.52, "close", {"code": 1013}),
    # Sockets that were closed time and again are back by then.
    (0.60, "freeze_socket", {"sockets": 1}),
)
_DOWN_AT = 0.64
# Before the venue goes down: one lie after the other, for as long as a discovery that is asked for as it begins takes to come and walk.
_LISTINGS = ("stuck_cursor", "offset_ceiling", "missing_cursor", "ignored_parameters", "error_storm")
_LISTINGS_UNTIL, _LISTING_S, _LISTING_SHARE = 0.6, 72.0, 5 / 6


def lies(minutes: float) -> list[Lie]:
    """The programme for so many minutes, in order of time."""
    whole_s = minutes * 60
    lasts_s = min(LASTS_S, LASTS_SHARE * whole_s)
    told = [Lie(share * whole_s, fault, lasts_s, given) for share, fault, given in _PROGRAMME]
    down = Lie(_DOWN_AT * whole_s, "venue_down", min(DOWN_S, DOWN_SHARE * whole_s))
    return sorted([*told, down, *_of_listings(whole_s)], key=lambda lie: lie.after_s)


def _of_listings(whole_s: float) -> list[Lie]:
    """As many as there is time for."""
    room_s = _LISTINGS_UNTIL * whole_s
    count = min(len(_LISTINGS), max(1, int(room_s // _LISTING_S)))
    each_s = room_s / count
    return [Lie(k * each_s, fault, _LISTING_SHARE * each_s, {"service": "gamma"}) for k, fault in enumerate(_LISTINGS[:count])]  # fmt: skip
