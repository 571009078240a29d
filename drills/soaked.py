"""What a soak left behind, held against what was promised: from the lake, Dagster's records and the ledger alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from rich.table import Table

from drills import truth
from drills.platform import REFUSED, Load
from polymarket_assets.collecting import slots
from polymarket_assets.lake import reading
from polymarket_assets.lake.spans import Span, hour_of
from polymarket_assets.lake.writing import Lake
from polymarket_assets.tiers import TIERS, Tier

# A slot is accounted for when its sweep is over; the last ones may be under way.
UNDER_WAY = timedelta(seconds=30)
# What a fault of REST leaves behind: open breakers, closed buckets, a sweep that still waits.
AFTERMATH = timedelta(seconds=30)
LATE_P99_MS = 2_000.0
# Of one core, and of a minute: what collection may take.
MOST_CORE, MOST_MB_A_MINUTE = 0.5, 3.0
# Distance and the venue's own limits are no lies.
ALWAYS_ON = ("latency", "limiter")
# A lie that was over sooner may have met nobody: the nearest tier asks every fifteen seconds.
MET_AFTER = timedelta(seconds=25)
# Of these a request is no proof: only some answers have what they change.
CHANGES_SOME = ("stuck_cursor", "missing_cursor", "ignored_parameters", "offset_ceiling")
# A day of Dagster's own history.
MOST_HISTORY_MB = 60.0
# A listing comes every ten minutes; a market that lives shorter may never be listed to us.
LISTED_WITHIN = timedelta(minutes=11)
# The daemon loads code and the first windows read the lake: memory is looked at from then on.
SETTLED_S = 180.0

Row = dict[str, Any]
Measured = TypeVar("Measured")


@dataclass(frozen=True)
class Soaked:
    """What there is to judge by."""

    lake: Lake
    ledger: Path
    began: datetime
    ended: datetime
    runs: dict[str, dict[str, int]]
    # Seconds since the beginning, load of orchestration and collection, load of the streamer.
    loads: list[tuple[float, Load, Load]]
    # Seconds since the beginning, megabytes of Dagster's own history.
    history: list[tuple[float, float]]
    alive: bool
    calm: bool
    folder: Path


@dataclass(frozen=True)
class Verdict:
    """A promise, and whether it was kept."""

    promise: str
    holds: bool
    figures: str


@dataclass(frozen=True)
class OfTier:
    """Slots of a tier that were due in the time."""

    tier: str
    due: int
    taken: int
    late: int
    missed: int
    unaccounted: list[datetime]
    # Missed while nothing was wrong with the venue.
    unexcused: list[Row]
    # Of sweeps while nothing was wrong: milliseconds from the slot to the request that was answered, and to the end of all.
    lateness: list[float]
    until_end: list[float]


@dataclass(frozen=True)
class Taken:
    """Of one core, megabytes of memory at the end and how many more a minute, and megabytes of Dagster's history a day."""

    core: float
    mb: float
    mb_a_minute: float
    history_mb_a_day: float


def judged(soaked: Soaked) -> list[Verdict]:
    """Every promise."""
    lines = truth.ledger(soaked.ledger)
    tiers = of_tiers(soaked, lines)
    return [
        *_of_slots(tiers, calm=soaked.calm),
        _collected(soaked, lines),
        _bounded(lines),
        *([] if soaked.calm else [_breaker(soaked), _met(lines)]),
        _doubled(soaked),
        _readable(soaked),
        _alive(soaked),
        *(_load(soaked) if soaked.calm else []),
    ]


def of_tiers(soaked: Soaked, lines: Sequence[Row]) -> list[OfTier]:
    """The slots of each tier, against the lines of the ledger."""
    faults = _spans(lines)
    return [_of_tier(soaked, tier, faults) for tier in TIERS]


def _spans(lines: Sequence[Row]) -> list[Span]:
    """When something was wrong with the order books, and some time after: no other lie excuses a slot."""
    begun: dict[int, datetime] = {}
    found = []
    for line in lines:
        if line["kind"] == "fault_begin" and line["fault"] not in ALWAYS_ON and line["parameters"].get("service") in ("all", "clob"):  # fmt: skip
            begun[line["id"]] = datetime.fromisoformat(line["at"])
        elif line["kind"] == "fault_end" and line["id"] in begun:
            found.append(Span(begun[line["id"]], datetime.fromisoformat(line["at"]) + AFTERMATH))
    return found


def _of_tier(soaked: Soaked, tier: Tier, faults: Sequence[Span]) -> OfTier:
    end = soaked.ended - UNDER_WAY
    hours = Span(hour_of(soaked.began), soaked.ended).hours()
    due = [at for hour in hours for at in slots.hour_grid(tier, hour) if soaked.began <= at < end]
    kept = {row["slot_at"]: row for row in reading.rows(soaked.lake, "sweeps", tier=tier.name).to_pylist()}
    rows = [kept[at] for at in due if at in kept]
    calm = [row for row in rows if not any(row["slot_at"] in span for span in faults)]
    return OfTier(
        tier.name, len(due),
        *(sum(row["status"] == status for row in rows) for status in ("taken", "late", "missed")),
        [at for at in due if at not in kept],
        [row for row in calm if row["status"] == "missed"],
        [row["latency_ms"] for row in calm if row["latency_ms"] is not None],
        [(row["finished_at"] - row["slot_at"]) / timedelta(milliseconds=1) for row in calm if row["latency_ms"] is not None],
    )  # fmt: skip


def _of_slots(tiers: Sequence[OfTier], *, calm: bool) -> Iterator[Verdict]:
    missing = [f"{t.tier} {at:%H:%M:%S}" for t in tiers for at in t.unaccounted]
    counts = ", ".join(f"{t.tier} {t.taken}+{t.late}+{t.missed} of {t.due}" for t in tiers)
    yield Verdict("each slot is in the account", not missing, f"taken+late+missed: {counts}; without: {missing[:5]}")  # fmt: skip
    unexcused = [f"{t.tier} {row['slot_at']:%H:%M:%S} {row['reason']}" for t in tiers for row in t.unexcused]
    yield Verdict("no slot is missed while the venue is well", not unexcused, f"{len(unexcused)}: {unexcused[:3]}")  # fmt: skip
    if not calm:
        return
    p50, p99, worst = lateness(tiers)
    sweeps, end_p99 = sum(len(t.lateness) for t in tiers), _percentiles([ms for t in tiers for ms in t.until_end])[1]  # fmt: skip
    yield Verdict("slots begin within 2 s (p99)", bool(sweeps) and p99 <= LATE_P99_MS, f"p50 {p50:.0f} ms, p99 {p99:.0f} ms, worst {worst:.0f} ms of {sweeps} sweeps; all answers within {end_p99:.0f} ms (p99)")  # fmt: skip


def lateness(tiers: Sequence[OfTier]) -> tuple[float, float, float]:
    """Median, 99th percentile and worst milliseconds until the first request that was answered went out, of all sweeps."""
    return _percentiles([ms for t in tiers for ms in t.lateness])


def _percentiles(ms: Sequence[float]) -> tuple[float, float, float]:
    p50, p99, worst = np.percentile(ms, (50, 99, 100)) if ms else (0.0, 0.0, 0.0)
    return float(p50), float(p99), float(worst)


def _collected(soaked: Soaked, lines: Sequence[Row]) -> Verdict:
    """Markets that traded all the time have snapshots."""
    lasting = {
        f"pm:{line['condition_id']}"
        for line in lines
        if line["kind"] == "listed" and line["book"] and line["listed_at"] <= (soaked.began - LISTED_WITHIN).timestamp() and line["ends_at"] >= soaked.ended.timestamp()
    }  # fmt: skip
    seen = set(reading.rows(soaked.lake, "snapshots").column("market_id").to_pylist())
    missing = sorted(lasting - seen)
    return Verdict("every market is collected", not missing and bool(lasting), f"{len(lasting & seen)} of {len(lasting)} that traded all the time, {len(seen)} in all; without: {missing[:3]}")  # fmt: skip


def _bounded(lines: Sequence[Row]) -> Verdict:
    """The venue counted: no ten seconds held more than it allows, and it never said so of its own accord."""
    fullest = next((line["fullest"] for line in lines if line["kind"] == "fault_end" and line["fault"] == "limiter"), {})  # fmt: skip
    refused = sum(1 for line in lines if line["kind"] == "response" and line["status"] == 429 and "throttle" not in line["faults"])  # fmt: skip
    requests = sum(1 for line in lines if line["kind"] == "response")
    most = {name: count for name, count in fullest.items() if name in ("/gamma/markets", "/clob/books", "/clob/midpoints", "/data/v2/trades")}  # fmt: skip
    return Verdict("requests are bounded", bool(fullest) and not refused, f"{requests} requests, {refused} refused by the limits; fullest ten seconds {most}")  # fmt: skip


def _breaker(soaked: Soaked) -> Verdict:
    """By the accounts of the tiers that sweep often."""
    told = {}
    for tier in ("t2", "t3", "t4"):
        rows = sorted(
            reading.rows(soaked.lake, "sweeps", tier=tier).to_pylist(), key=lambda row: row["slot_at"]
        )
        told[tier] = [row["breaker"] for row in rows if row["breaker"]]
    opened = {tier: states.count("open") for tier, states in told.items()}
    closed = all(states and states[-1] == "closed" for states in told.values())
    return Verdict("the breaker opened and closed", closed and any(opened.values()), f"sweeps that found it open: {opened}; closed at the end: {closed}")  # fmt: skip


def _met(lines: Sequence[Row]) -> Verdict:
    """By the ledger: each lie happened to answers, or to sockets, of ours; nothing is shown by one that nobody was told."""
    begun = {line["id"]: line for line in lines if line["kind"] == "fault_begin" and line["fault"] not in ALWAYS_ON}  # fmt: skip
    met: list[tuple[str, int]] = []
    for end in (line for line in lines if line["kind"] == "fault_end" and line["id"] in begun):
        begin = begun[end["id"]]
        if datetime.fromisoformat(end["at"]) - datetime.fromisoformat(begin["at"]) >= MET_AFTER:
            met.append((end["fault"], _times_met(lines, begin, end)))
    nobody = [fault for fault, times in met if not times]
    return Verdict("each lie was met", bool(met) and not nobody, f"{', '.join(f'{fault} {times}' for fault, times in met)}; by nobody: {nobody}")  # fmt: skip


def _times_met(lines: Sequence[Row], begin: Row, end: Row) -> int:
    if "service" not in begin["parameters"]:
        return len(end["sockets"])
    if end["fault"] in CHANGES_SOME:
        return int(end["altered"])
    # An answer that a fault held back is noted when it is over.
    told = Span(datetime.fromisoformat(begin["at"]), datetime.fromisoformat(end["at"]) + AFTERMATH)
    answers = (line for line in lines if line["kind"] == "response" and end["fault"] in line["faults"])
    return sum(datetime.fromisoformat(line["at"]) in told for line in answers)


def _doubled(soaked: Soaked) -> Verdict:
    counts = {}
    for table in ("orderbooks", "snapshots"):
        rows = reading.rows(soaked.lake, table).select(["market_id", "slot_at"])
        counts[table] = rows.num_rows - rows.group_by(["market_id", "slot_at"]).aggregate([]).num_rows
    return Verdict("no book stands twice", not any(counts.values()), str(counts))


def _readable(soaked: Soaked) -> Verdict:
    files = truth.published(Path(str(soaked.folder / "lake")))
    broken = truth.unreadable([file for file in files if "snapshots" in str(file) or "sweeps" in str(file)])
    return Verdict("every file is whole", not broken, f"{len(files)} files; {broken[:3]}")


def _alive(soaked: Soaked) -> Verdict:
    """A run may say that the venue is down; none may fail otherwise, or at all before a venue that is well."""
    failed = [job for job, ends in soaked.runs.items() if ends.get("FAILURE") or (soaked.calm and ends.get(REFUSED))]  # fmt: skip
    return Verdict("nothing crashed", soaked.alive and not failed, f"runs {soaked.runs}; daemon and streamer alive: {soaked.alive}")  # fmt: skip


def taken(soaked: Soaked) -> Taken:
    """What collection and orchestration took, once they had settled."""
    settled, (grown_s, grown_mb) = _loads(soaked), _grown(soaked)
    (first_s, first), (last_s, last) = settled[0], settled[-1]
    return Taken(
        core=(last.cpu_s - first.cpu_s) / max(last_s - first_s, 1),
        mb=last.mb,
        mb_a_minute=_slope([(at, load.mb) for at, load in settled]),
        history_mb_a_day=grown_mb / max(grown_s, 1) * timedelta(days=1).total_seconds(),
    )


def _loads(soaked: Soaked) -> list[tuple[float, Load]]:
    return _settled([(at, load) for at, load, _ in soaked.loads])


def _settled(measured: Sequence[tuple[float, Measured]]) -> list[tuple[float, Measured]]:
    """What was measured once everything had begun; all of it where that is nothing."""
    return [each for each in measured if each[0] >= SETTLED_S] or list(measured)


def _grown(soaked: Soaked) -> tuple[float, float]:
    """Seconds, and by how many megabytes Dagster's history grew in them: its first runs also store what all later ones refer to."""
    settled = _settled(soaked.history)
    (first_s, first), (last_s, last) = settled[0], settled[-1]
    return last_s - first_s, last - first


def _load(soaked: Soaked) -> Iterator[Verdict]:
    settled, took, (grown_s, grown_mb) = _loads(soaked), taken(soaked), _grown(soaked)
    (_, first), (_, last) = settled[0], settled[-1]
    yield Verdict("collection and orchestration take half a core at most", took.core <= MOST_CORE, f"{took.core:.2f} of a core")  # fmt: skip
    yield Verdict("orchestration keeps 60 MB a day at most before pruning", took.history_mb_a_day <= MOST_HISTORY_MB, f"{grown_mb:.1f} MB in {grown_s / 60:.0f} minutes, {took.history_mb_a_day:.0f} MB a day at this pace")  # fmt: skip
    roles = ", ".join(f"{role} {last.of.get(role, 0):.0f} ({_slope([(at, load.of.get(role, 0.0)) for at, load in settled]):+.1f})" for role in sorted(first.of))  # fmt: skip
    streaming = [(at, load.mb) for at, _, load in soaked.loads if at >= settled[0][0]]
    yield Verdict("memory is flat", took.mb_a_minute <= MOST_MB_A_MINUTE, f"{took.mb_a_minute:+.1f} MB a minute, {last.mb:.0f} MB at the end: {roles}; streamer {streaming[-1][1]:.0f} ({_slope(streaming):+.1f})")  # fmt: skip


def _slope(measured: Sequence[tuple[float, float]]) -> float:
    """Megabytes a minute, of seconds and megabytes: the median of the slopes between points half the time apart (Theil and Sen), which runs that come and go do not move."""
    half = len(measured) // 2
    pairs = zip(measured[:half], measured[-half:], strict=True) if half else ()
    return float(
        np.median([60 * (mb - before) / (at - since) for (since, before), (at, mb) in pairs] or [0.0])
    )


def shown(soaked: Soaked, verdicts: Sequence[Verdict]) -> Iterator[Table]:
    """Tables of the accounts and of the promises."""
    reasons = Table("tier", "status", "reason", "slots", title="accounts of slots", title_justify="left")
    for tier in TIERS:
        counted: dict[tuple[str, str], int] = {}
        for row in reading.rows(soaked.lake, "sweeps", tier=tier.name).to_pylist():
            key = row["status"], (row["reason"] or "")[:70].partition("begun")[0] or ("begun late" if row["reason"] else "")  # fmt: skip
            counted[key] = counted.get(key, 0) + 1
        for (status, reason), count in sorted(counted.items(), key=lambda item: -item[1])[:6]:
            reasons.add_row(tier.name, status, reason, str(count))
    yield reasons
    table = Table("promise", "", "figures", title="soak", title_justify="left")
    for verdict in verdicts:
        table.add_row(verdict.promise, "kept" if verdict.holds else "[red]broken[/]", verdict.figures)
    yield table
