"""Asking sources: each bounded in time, and none of them able to hide another.

A source that raises, or does not answer in time, is a finding of its own, `unknown:<source>`. What hangs in the operating
system cannot be ended: its thread is left, and the source not asked again before it came back.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from polymarket_assets.lake.errors import LakeError
from polymarket_assets.venue.errors import PolymarketError
from polymarket_assets.watching.findings import Event, Figure, Finding, Severity, Source, Told, Watched

log = logging.getLogger(__name__)

# A look takes tenths of a second; all together must leave room in the minute that Dagster gives a sensor.
LOOK_WITHIN_S = 10.0
ALL_WITHIN_S = 35.0
# More of one source is a flood that nobody reads, and would make the state large.
MOST_TOLD = 500
# That a source could not be asked once is a restart, or a machine under load.
UNKNOWN_CONFIRM = 2

_left: dict[str, threading.Thread] = {}


@dataclass(frozen=True)
class Looked:
    """What a source said; `unknown` is why it did not say all, and then nothing is concluded from what it did not say."""

    source: str
    findings: tuple[Finding, ...] = ()
    events: tuple[Event, ...] = ()
    figures: tuple[Figure, ...] = ()
    unknown: str | None = None
    confirm: int = 1


def look(watched: Watched, sources: Iterable[Source]) -> Iterator[Looked]:
    """Each source in turn."""
    until = time.monotonic() + ALL_WITHIN_S
    for source in sources:
        said = _asked(watched, source, min(LOOK_WITHIN_S, until - time.monotonic()))
        yield said if isinstance(said, Looked) else _unknown(watched, source, said, [])


def _asked(watched: Watched, source: Source, within_s: float) -> Looked | str:
    """What a source said, or why it said nothing."""
    if (before := _left.get(source.name)) is not None and before.is_alive():
        return "the look before has not come back"
    answers: queue.SimpleQueue[Looked | str] = queue.SimpleQueue()
    thread = threading.Thread(target=lambda: answers.put(_said(watched, source)), name=f"look-{source.name}", daemon=True)  # fmt: skip
    thread.start()
    try:
        return answers.get(timeout=max(0.1, within_s))
    except queue.Empty:
        _left[source.name] = thread
        return f"no answer within {max(0.1, within_s):.0f} s"


def _said(watched: Watched, source: Source) -> Looked:
    told: list[Told] = []
    beyond = 0
    try:
        for item in source.look(watched):
            if len(told) < MOST_TOLD:
                told.append(item)
            else:
                beyond += 1
    except (PolymarketError, LakeError) as e:
        return _unknown(watched, source, str(e), told)
    except Exception as e:
        # A fault of ours in one source must not silence the others: it is told as a finding.
        log.warning("source %s could not be asked", source.name, exc_info=e)
        return _unknown(watched, source, f"{type(e).__name__}: {e}", told)
    findings = {item.key: item for item in told if isinstance(item, Finding)}
    events = tuple(item for item in told if isinstance(item, Event))
    figures = tuple(item for item in told if isinstance(item, Figure))
    if beyond:
        # What is beyond has not recovered.
        cut = _unknown(watched, source, f"it found {beyond:,} more than the {MOST_TOLD} that are told", told)
        return replace(cut, events=events, figures=figures)
    return Looked(source.name, tuple(findings.values()), events, figures, confirm=source.confirm)


def _unknown(watched: Watched, source: Source, why: str, told: Sequence[Told]) -> Looked:
    """What it found before it failed stands; of the rest nothing is known."""
    why = " ".join(why.split())[:300]
    found = {item.key: item for item in told if isinstance(item, Finding)}
    finding = Finding(f"unknown:{source.name}", Severity.WARNING, watched.now, f"not known: {source.name} could not be asked, or not about all ({why})")  # fmt: skip
    return Looked(source.name, (*found.values(), finding), unknown=why, confirm=max(UNKNOWN_CONFIRM, source.confirm))  # fmt: skip
