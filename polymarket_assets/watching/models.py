"""Models: what the last review decided, told once for each step of a version and how it was answered."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from polymarket_assets.venue.errors import MalformedPayload
from polymarket_assets.watching.findings import Event, Told, Watched, instant

# Metadata of `promotion` with what was decided, sentence by sentence.
DECIDED = "decided"
# And with all gates of each, as Markdown.
GATES = "decisions"
# A review longer ago than this was told of, or happened before anybody was told.
LOOK_BACK = timedelta(days=3)


@dataclass(frozen=True)
class Reviewed:
    """The newest review: when, by which run, its decisions in a sentence each, and their gates as Markdown."""

    at: datetime
    run_id: str
    decided: tuple[str, ...]
    gates: str


def look(watched: Watched) -> Iterator[Told]:
    """A step that is refused with other figures every day is one event; granted after that, another."""
    found = reviewed(watched)
    if found is None or watched.now - found.at > LOOK_BACK:
        return
    for said in found.decided:
        version, asked, answered = parts(said)[:3]
        yield Event(f"model_decided:{version}/{asked}/{answered.partition(',')[0]}", found.at, said, "/assets/promotion")  # fmt: skip


def reviewed(watched: Watched) -> Reviewed | None:
    """What the newest materialisation of `promotion` says; None: there is none, or it says nothing.

    Raises:
        Unavailable: Dagster's storage does not answer.
        MalformedPayload: it says something else.
    """
    import dagster as dg

    event = watched.dagster.get_latest_materialization_event(dg.AssetKey("promotion"))
    if event is None or event.asset_materialization is None:
        return None
    said = event.asset_materialization.metadata
    told = said.get(DECIDED)
    if told is None:
        return None
    if not isinstance(told.value, list):
        raise MalformedPayload("what promotion decided", told.value, "a list of sentences is wanted")
    gates = said[GATES].value if GATES in said else ""
    return Reviewed(instant(event.timestamp), event.run_id, tuple(map(str, told.value)), str(gates))


def parts(said: str) -> tuple[str, str, str, str]:
    """A decision's version, what it asked, how it was answered, and why."""
    version, asked, answered, why = [*said.split(": ", 3), "", "", ""][:4]
    return version, asked, answered, why
