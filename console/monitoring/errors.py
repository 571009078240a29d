"""The newest of what went wrong: failed runs, slots that were missed, frames that could not be read, and findings."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from console.kept import Seen
from console.monitoring import asking, heard, linking, sampled
from console.place import Place
from polymarket_assets.venue.errors import PolymarketError, Unavailable, printable

EVERY_S = 30.0
# Further back a person has seen it, or never will.
_RUNS_BACK = timedelta(days=7)
MOST_RUNS = 200

Kind = Literal["run", "slot", "reject", "finding"]


@dataclass(frozen=True)
class Wrong:
    """Something that went wrong at an instant; `link` is a page of Dagster or of the console."""

    at: datetime
    kind: Kind
    text: str
    link: str | None = None


@dataclass(frozen=True)
class Errors:
    """The newest first; `unknown` says which of the four could not be asked, and why."""

    errors: tuple[Wrong, ...]
    unknown: dict[str, str]


def errors(place: Place, limit: int) -> Errors:
    """What is known of each now; what cannot be had hides nothing of the others."""
    found: list[Wrong] = []
    unknown: dict[str, str] = {}
    sources: dict[str, Callable[[Place], Iterable[Wrong]]] = {"run": _runs, "slot": _slots, "reject": _rejects, "finding": _findings}  # fmt: skip
    for kind, ask in sources.items():
        try:
            found += ask(place)
        except PolymarketError as e:
            unknown[kind] = printable(str(e), 300)
    newest = sorted(found, key=lambda one: one.at, reverse=True)
    return Errors(tuple(newest[:limit]), unknown)


def failed_runs(place: Place) -> Seen[list[Wrong]]:
    """Of the last week, the newest first. Raises `NotYet`, `Unavailable` where Dagster's storage does not answer."""
    return place.seen(_look, every_s=EVERY_S)


def _look(place: Place) -> list[Wrong]:
    from polymarket_assets.watching import asking as bounded
    from polymarket_assets.watching import runs
    from polymarket_assets.watching.findings import Source

    # Bounded in time, and one thread at the most is left where the storage hangs.
    (looked,) = bounded.look(
        place.own(asking.Asking).watched(),
        [Source("failed-runs", lambda watched: runs.failed(watched, _RUNS_BACK, MOST_RUNS))],
    )
    if looked.unknown is not None:
        raise Unavailable(f"Dagster's storage did not name its failed runs: {looked.unknown}")
    return [Wrong(one.at, "run", one.text, linking.dagster(place.settings, one.link or "")) for one in looked.events]  # fmt: skip


def _runs(place: Place) -> Iterable[Wrong]:
    return failed_runs(place).value


def _slots(place: Place) -> Iterator[Wrong]:
    for one in sampled.sampled(place).value.missed:
        link = linking.dagster(place.settings, f"/jobs/window_{one.tier}")
        what = "was" if one.slots == 1 else "were"
        yield Wrong(one.at, "slot", f"{one.slots} {'slot' if one.slots == 1 else 'slots'} of {one.tier.upper()} {what} {one.status}: {one.reason}", link)  # fmt: skip


def _rejects(place: Place) -> Iterator[Wrong]:
    """One for every reason in an hour."""
    held = heard.rejects(place).value
    counted = Counter((one.at.replace(minute=0, second=0, microsecond=0), one.reason) for one in held)
    newest = {(one.at.replace(minute=0, second=0, microsecond=0), one.reason): one.at for one in reversed(held)}  # fmt: skip
    for (hour, reason), count in counted.items():
        text = f"{count} {'frame' if count == 1 else 'frames'} could not be read: {printable(reason, 200)}"
        yield Wrong(newest[hour, reason], "reject", text, "/stream#rejects")


def _findings(place: Place) -> Iterator[Wrong]:
    for one in asking.health(place).value.findings:
        yield Wrong(one.since, "finding", one.text, one.link)
