"""Models: what the last review decided, told once for each step of a version and how it was answered."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from polymarket_assets.venue.errors import MalformedPayload
from polymarket_assets.watching.findings import Event, Told, Watched, instant

# Metadata of `promotion` with what was decided, sentence by sentence.
DECIDED = "decided"
# A review longer ago than this was told of, or happened before anybody was told.
LOOK_BACK = timedelta(days=3)


def look(watched: Watched) -> Iterator[Told]:
    """A step that is refused with other figures every day is one event; granted after that, another."""
    import dagster as dg

    event = watched.dagster.get_latest_materialization_event(dg.AssetKey("promotion"))
    if event is None or event.asset_materialization is None:
        return
    at, told = instant(event.timestamp), event.asset_materialization.metadata.get(DECIDED)
    if told is None or watched.now - at > LOOK_BACK:
        return
    if not isinstance(told.value, list):
        raise MalformedPayload("what promotion decided", told.value, "a list of sentences is wanted")
    for said in map(str, told.value):
        version, asked, answered = [*said.split(": ", 3), "", ""][:3]
        yield Event(f"model_decided:{version}/{asked}/{answered.partition(',')[0]}", at, said, "/assets/promotion")  # fmt: skip
