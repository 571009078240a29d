"""The venue: whether it can be recorded at all, and which generation of it answers, by some of the doctor's probes."""

from __future__ import annotations

import queue
import re
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress

from polymarket_assets.doctor import probing
from polymarket_assets.doctor.probing import Finding as Probed
from polymarket_assets.doctor.probing import Probe
from polymarket_assets.doctor.verdict import judge
from polymarket_assets.watching.findings import Event, Finding, Severity, Told, Watched

# Enough to see both services that recording needs, and both generations of the third: five requests. Rows are asked at once;
# books are asked about markets that the listing before them names.
ASKED = (
    ("GET /markets/keyset", "POST /books"),
    ("GET /v2/trades", "GET /trades"),
    ("GET /time",),
)  # fmt: skip
# Less than a look has (`asking.LOOK_WITHIN_S`): a venue that hangs is a venue that cannot be recorded, and that is known.
ANSWER_WITHIN_S = 8.0
_MARKETS = re.compile(r"\d+ of (\w+)")


def look(watched: Watched) -> Iterator[Told]:
    """A generation that was never seen is an event; one whose successor is gone, or a service that does not answer, a finding."""
    found = _probed(watched)
    answers = {one.endpoint: one for one in found if one.answers}
    verdict = judge(found)
    if not verdict.records:
        yield Finding("venue_unrecordable", Severity.CRITICAL, watched.now, verdict.problem)
    if "GET /v2/trades" not in answers and "GET /trades" in answers:
        yield Finding("venue_former", Severity.WARNING, watched.now, "only v1 of the Data API answers: healing goes no further back than its newest trades, and no resolutions come from it")  # fmt: skip
    if not verdict.records or not {"GET /v2/trades", "GET /trades"} & set(answers):
        # What is away now would pass for new when it is back.
        return
    for name in sorted({name for one in answers.values() for name in _generations(one)}):
        yield Event(f"venue_generation:{name}", watched.now, f"the venue answers in a generation not seen before: {name}; `python -m polymarket_assets.doctor` says what that means", only_changes=True)  # fmt: skip


def _probed(watched: Watched) -> list[Probed]:
    """What came of each probe, in the order of `ASKED`; one that hangs did not answer."""
    groups = [[next(one for one in probing.PROBES if one.endpoint == name) for name in names] for names in ASKED]  # fmt: skip
    probes = [probe for group in groups for probe in group]
    late = f"no answer within {ANSWER_WITHIN_S:.0f} s"
    found = {probe.endpoint: Probed(probe.service, probe.endpoint, probe.needed, answers=False, note=late) for probe in probes}  # fmt: skip
    answers: queue.SimpleQueue[Probed] = queue.SimpleQueue()
    for group in groups:
        # What hangs in the operating system, as a look-up of a name can, cannot be ended: its thread is left.
        threading.Thread(target=_ask, args=(watched, group, answers), name="ask-venue", daemon=True).start()  # fmt: skip
    until = time.monotonic() + ANSWER_WITHIN_S
    with suppress(queue.Empty):
        for _ in probes:
            one = answers.get(timeout=max(0.0, until - time.monotonic()))
            found[one.endpoint] = one
    return list(found.values())


def _ask(watched: Watched, probes: Sequence[Probe], answers: queue.SimpleQueue[Probed]) -> None:  # fmt: skip
    """One after the other, each told as soon as it is known."""
    venue = probing.patient(watched.settings, watched.now)
    try:
        for one in probing.examine(venue, probes):
            answers.put(one)
    finally:
        for service in venue.services.values():
            service.close()


def _generations(found: Probed) -> Iterator[str]:
    if found.generation:
        yield f"{found.service} {found.endpoint} {found.generation}"
    if found.endpoint == "GET /markets/keyset":
        yield from (f"markets of {version}" for version in _MARKETS.findall(found.note.partition(";")[0]))
