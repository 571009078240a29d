"""The venue: whether it can be recorded at all, and which generation of it answers, by some of the doctor's probes."""

from __future__ import annotations

import re
from collections.abc import Iterator

from polymarket_assets.doctor import probing
from polymarket_assets.doctor.probing import Finding as Probed
from polymarket_assets.doctor.verdict import judge
from polymarket_assets.watching.findings import Event, Finding, Severity, Told, Watched

# Enough to see both services that recording needs, and both generations of the third: five requests.
ASKED = ("GET /markets/keyset", "POST /books", "GET /v2/trades", "GET /trades", "GET /time")
_MARKETS = re.compile(r"\d+ of (\w+)")


def look(watched: Watched) -> Iterator[Told]:
    """A generation that was never seen is an event; one whose successor is gone, or a service that does not answer, a finding."""
    venue = probing.patient(watched.settings, watched.now)
    try:
        found = list(probing.examine(venue, [probe for probe in probing.PROBES if probe.endpoint in ASKED]))
    finally:
        for service in venue.services.values():
            service.close()
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


def _generations(found: Probed) -> Iterator[str]:
    if found.generation:
        yield f"{found.service} {found.endpoint} {found.generation}"
    if found.endpoint == "GET /markets/keyset":
        yield from (f"markets of {version}" for version in _MARKETS.findall(found.note.partition(";")[0]))
