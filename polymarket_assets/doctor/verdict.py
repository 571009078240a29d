"""Findings to sentences: which generation answers, what is degraded, what to do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from polymarket_assets.doctor.probing import Finding


@dataclass(frozen=True)
class Verdict:
    """Whether the platform can record, and what there is to say about it."""

    records: bool
    # Which generation answers.
    generations: tuple[str, ...]
    # What does not work as it should, and what to do.
    degraded: tuple[str, ...]
    # The one sentence for when nothing can be recorded.
    problem: str = ""


# Endpoint -> what is lost without it, where something is.
_WITHOUT = {
    "GET /book": "single books are not to be had; sweeps ask for many at once and do without",
    "GET /markets/keyset?closed=true": "history_markets will fail, and vanished markets stay open until it answers",
    "GET /markets/{id}": "the order-book service names no winners: labels wait for the Data API",
    "GET /clob-markets/{id}": "a market that only has the compact form cannot be confirmed: its label waits for the Data API",
    "GET /time": "our clock could not be compared: have it kept by NTP",
}
# The same where the Data API answers in v2 otherwise.
_WITHOUT_OF_V2 = {
    "GET /v2/prices-history": "history_prices will fail; materialize it later",
    "GET /v2/resolutions": "labels rest on the catalogue and the order-book service alone; disputes are not seen",
}
_ADDRESS = {
    "gamma": "POLYMARKET_GAMMA_URL",
    "clob": "POLYMARKET_CLOB_URL",
    "data": "POLYMARKET_DATA_URL",
    "socket": "POLYMARKET_WS_URL",
}
_ADDRESSES = ", ".join(_ADDRESS.values())


def judge(findings: Sequence[Finding]) -> Verdict:
    """The verdict on a whole examination."""
    answers = {finding.endpoint for finding in findings if finding.answers}
    if not answers:
        return Verdict(False, (), (), f"the venue cannot be reached: {findings[0].note}; check the network and {_ADDRESSES}, or use `make demo`, which needs none of them")  # fmt: skip
    missing = [finding for finding in findings if finding.needed and not finding.answers]
    return Verdict(
        records=not missing,
        generations=tuple(_generations(findings, answers)),
        degraded=tuple(_degraded(findings, answers)),
        problem=_problem(missing[0]) if missing else "",
    )


def _generations(findings: Sequence[Finding], answers: set[str]) -> list[str]:
    said = [f"{f.service} {f.endpoint}: {f.generation} ({f.note})" for f in findings if f.endpoint == "GET /markets/keyset" and f.answers]  # fmt: skip
    if "GET /v2/trades" in answers:
        said.append("Data API: v2" + (", and v1 still answers" if "GET /trades" in answers else ""))
    elif "GET /trades" in answers:
        said.append("Data API: v1 only")
    return said


def _degraded(findings: Sequence[Finding], answers: set[str]) -> list[str]:
    said = list(_data(answers))
    said += [f"{endpoint} does not answer: {_WITHOUT[endpoint]}" for endpoint in _WITHOUT if endpoint not in answers]  # fmt: skip
    said += [f"{f.note}: have it kept by NTP, received_at decides what was known" for f in findings if f.note.startswith("our clock")]  # fmt: skip
    said += [f"{f.service} {f.endpoint}: {f.note}" for f in findings if f.answers and "unreadable" in f.note]
    return said


def _data(answers: set[str]) -> list[str]:
    """What is lost without (parts of) the Data API: nothing live, but healing, history and resolutions."""
    if "GET /v2/trades" not in answers and "GET /trades" not in answers:
        return [f"the Data API does not answer: recording goes on, but gaps are not healed, and there is no history of prices; look at {_ADDRESS['data']}"]  # fmt: skip
    if "GET /v2/trades" not in answers:
        return ["only v1 of the Data API answers: no resolutions (labels rest on catalogue and order-book service), prices from the order-book service, and no more than the newest 10,500 trades of a market"]  # fmt: skip
    return [f"{endpoint} does not answer: {lost}" for endpoint, lost in _WITHOUT_OF_V2.items() if endpoint not in answers]  # fmt: skip


def _problem(missing: Finding) -> str:
    """What is missing, why, and what to do."""
    where = _ADDRESS[missing.service]
    return f"nothing can be recorded: {missing.endpoint} of {missing.service} does not answer ({missing.note}); check {where}"
