"""One slot: the books of a tier's due markets, their snapshots, and the account of it.

A sweep that the venue answers in part keeps what came; a book that is missing or unreadable is named and
spoils nothing. Rows are published before the account, so an account never speaks of rows that are not there.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

import pyarrow as pa
import pyarrow.compute as pc

from polymarket_assets.collecting import known, snapshotting
from polymarket_assets.collecting.accounts import LATE, MISSED, TAKEN, Account, part_of
from polymarket_assets.lake.schemas import TABLES
from polymarket_assets.lake.schemas.declare import LEVELS
from polymarket_assets.lake.writing import Lake
from polymarket_assets.tiers import Tier
from polymarket_assets.venue.errors import PolymarketError, Unavailable
from polymarket_assets.venue.records import E6, Book, Level

# A sweep whose first answered request went out later than this after its slot is called late: one request's worth of delay.
LATE_AFTER = timedelta(seconds=2)
# A sweep is over when the next slot is due, and in this time anyhow: sooner than a run is taken for dead (`heartbeats.LONGEST_STEP_S`).
SWEEP_WITHIN = timedelta(minutes=4)
# One request of the venue's, so that every answer is stamped when it came.
BATCH = 500
# So many batches in a row refused or unreadable, and it is not the batch: a blocked address asks no more.
MOST_FAILURES = 3
# Markets of a slot whose other token is asked for too, in turn: a day of T1 looks at 1,440, and no slot needs one more request.
MIRRORS = 5
# Listings change by the minute; reading them again for every slot would cost more than the sweep.
LISTED_KEPT = timedelta(minutes=1)
# Discovery publishes when its walk is done, with the times its pages came: rows may appear this much later.
PUBLISHED_WITHIN = timedelta(minutes=20)
# Nothing to sample and nothing known are two things: this one is a fault.
NOTHING_LISTED = "no market is known: materialize markets"
# An account is read by people: the first few names tell what kind of trouble it was.
REASON_CHARACTERS = 500
# A token id has up to 78 digits; what was wrong with its book may quote the book itself.
NAMED_CHARACTERS = 200


class Answer(Protocol):
    """What `Clob.books` gives."""

    @property
    def books(self) -> Sequence[Book]: ...
    @property
    def omitted(self) -> Sequence[str]: ...
    @property
    def malformed(self) -> Sequence[object]: ...
    @property
    def asked_at(self) -> datetime | None: ...


class Accounted(Protocol):
    """A service that keeps an account; see `venue.http.Service.account`."""

    def account(self) -> Mapping[str, int | float | str]:
        """Counts that only grow, and how the breaker stands."""


class Books(Protocol):
    """The order-book service, as far as a sweep needs it."""

    @property
    def service(self) -> Accounted: ...

    def books(self, token_ids: Sequence[str], *, until: datetime | None = None) -> Answer:
        """The books of tokens; those without one are left out. Raises `Unavailable` where there is no answer before `until`."""


@dataclass
class Listed:
    """The newest markets, kept up within a window: read whole once, then only what was published since."""

    lake: Lake
    rows: pa.Table = field(default_factory=TABLES["markets"].schema.empty_table)
    read_at: datetime | None = None

    def refresh(self, now: datetime) -> None:
        """Read what is new if the listing is older than `LISTED_KEPT`."""
        if self.read_at is None:
            self.rows = known.known_markets(self.lake, now=now)
        elif now - self.read_at < LISTED_KEPT:
            return
        else:
            since = now - self.read_at + PUBLISHED_WITHIN
            newer = known.known_markets(self.lake, now=now, since=since)
            self.rows = known.replaced(self.rows, newer)
        self.read_at = now

    def due(self, tier: Tier, at: datetime, cap: int) -> tuple[pa.Table, int]:
        """The markets of a tier at an instant, largest volume first, and how many the cap leaves out."""
        present = known.brought_up(known.still_open(self.rows), at)
        due = present.filter(pc.equal(present.column("tier"), tier.name))
        order = [("volume_usd", "descending"), ("market_id", "ascending")]
        due = due.take(pc.sort_indices(due, sort_keys=order))
        return due.slice(0, cap), max(0, due.num_rows - cap)


@dataclass
class _Take:
    """What came of a slot so far."""

    rows: list[tuple[str, Book, datetime]] = field(default_factory=list)
    # Markets the venue answered for without a book; those of a batch that failed are not among them.
    gone: list[str] = field(default_factory=list)
    malformed: list[str] = field(default_factory=list)
    # Markets whose two books were compared, and those of them whose books are not each other's mirror.
    mirrored: int = 0
    mirror_differs: list[str] = field(default_factory=list)
    # When the first request that was answered went out.
    asked_at: datetime | None = None
    # What was said of batches that failed, how many markets were in them, and how many in those that were not asked for any more.
    failures: list[str] = field(default_factory=list)
    unanswered: int = 0
    unasked: int = 0


def sweep(
    lake: Lake,
    clob: Books,
    tier: Tier,
    slot_at: datetime,
    listed: Listed,
    *,
    cap: int,
    run_id: str,
    clock: Callable[[], datetime],
) -> Account:
    """Take a slot now: publish its books and snapshots, and return its account (which the caller publishes).

    Raises:
        LakeUnwritable: rows could not be kept.
    """
    began = clock()
    if not listed.rows.num_rows:
        return Account(tier.name, slot_at, MISSED, run_id, NOTHING_LISTED)
    due, left_out = listed.due(tier, slot_at, cap)
    market_of = dict(zip(_canonical_tokens(due), due.column("market_id").to_pylist(), strict=True))
    before = clob.service.account()
    until = min(slot_at + tier.every, began + SWEEP_WITHIN)
    took = _fetch(clob, market_of, _others(due, tier, slot_at), clock, until)
    finished_at, after = clock(), clob.service.account()
    _publish(lake, tier, slot_at, took, due)
    started_at = took.asked_at or began
    missed = bool(took.failures) and not took.rows
    status = MISSED if missed else LATE if started_at - slot_at > LATE_AFTER else TAKEN
    return Account(
        tier=tier.name,
        slot_at=slot_at,
        status=status,
        run_id=run_id,
        reason=_reason(status, started_at - slot_at, took),
        markets=due.num_rows,
        books=len(took.rows),
        omitted=due.num_rows - len(took.rows),
        unanswered=took.unanswered,
        unasked=took.unasked,
        gone=tuple(took.gone),
        unreadable=tuple(what[:NAMED_CHARACTERS] for what in took.malformed),
        mirrored=took.mirrored,
        mirror_differs=tuple(took.mirror_differs),
        left_out=left_out,
        requests=_more("requests", before, after),
        retries=_more("retries", before, after),
        throttled=_more("throttled", before, after),
        waited_s=float(after["waited_s"]) - float(before["waited_s"]),
        breaker=str(after["breaker"]),
        bytes=_more("bytes", before, after),
        latency_ms=None if missed else (started_at - slot_at) / timedelta(milliseconds=1),
        started_at=started_at,
        finished_at=finished_at,
    )


def _canonical_tokens(due: pa.Table) -> list[str]:
    return [tokens[0] for tokens in due.column("token_ids").to_pylist()]


def _others(due: pa.Table, tier: Tier, slot_at: datetime) -> dict[str, str]:
    """Canonical token -> the other one, of the few markets whose turn it is at a slot."""
    turn = int(slot_at.timestamp() // tier.every.total_seconds()) * MIRRORS
    pairs = [due.column("token_ids")[(turn + k) % due.num_rows].as_py() for k in range(min(MIRRORS, due.num_rows))]  # fmt: skip
    return {pair[0]: pair[1] for pair in pairs if len(pair) == 2}


def _fetch(
    clob: Books, market_of: dict[str, str], others: dict[str, str], clock: Callable[[], datetime], until: datetime
) -> _Take:  # fmt: skip
    """Ask batch by batch. One that is refused or unreadable spoils no other; a venue that does not answer, or not in time, is asked no more."""
    took, failed = _Take(), 0
    # Both books of a market stand in one answer, so that they are of one moment.
    tokens = [*itertools.chain.from_iterable(others.items()), *(t for t in market_of if t not in others)]
    for first in range(0, len(tokens), BATCH):
        batch = tokens[first : first + BATCH]
        try:
            answer = clob.books(batch, until=until)
        except PolymarketError as e:
            failed += 1
            took.failures.append(str(e))
            took.unanswered += _markets(batch, market_of)
            if isinstance(e, Unavailable) or failed >= MOST_FAILURES:
                took.unasked = _markets(tokens[first + BATCH :], market_of)
                break
            continue
        failed = 0
        took.asked_at = took.asked_at or answer.asked_at
        _add(took, answer, market_of, clock())
        _compare(took, answer, market_of, others)
    return took


def _markets(tokens: Sequence[str], market_of: Mapping[str, str]) -> int:
    return sum(token in market_of for token in tokens)


def _add(took: _Take, answer: Answer, market_of: dict[str, str], received_at: datetime) -> None:
    unfit = [book for book in answer.books if not _fits(book)]
    got = {b.token_id: b for b in answer.books if b.token_id in market_of and b not in unfit}
    took.malformed += [f"book of {book.token_id}" for book in unfit]
    took.rows += [(market_of[token], book, received_at) for token, book in got.items()]
    took.malformed += [str(what) for what in answer.malformed]
    took.gone += [market_of[token] for token in answer.omitted if token in market_of]


def _compare(took: _Take, answer: Answer, market_of: dict[str, str], others: dict[str, str]) -> None:
    """Hold the two books of a market against each other where both last changed at the same venue instant."""
    got = {book.token_id: book for book in answer.books}
    for token, other in others.items():
        if token in got and other in got and got[token].venue_at == got[other].venue_at is not None:
            took.mirrored += 1
            if not _mirrors(got[token], got[other]):
                took.mirror_differs.append(market_of[token])


def _mirrors(book: Book, other: Book) -> bool:
    """Whether what is bid for one token is asked for the other, at a dollar less the price."""
    return _flipped(other.asks) == set(book.bids) and _flipped(other.bids) == set(book.asks)


def _flipped(levels: Iterable[Level]) -> set[Level]:
    return {Level(E6 - level.price_e6, level.size_e6) for level in levels}


def _more(name: str, before: Mapping[str, int | float | str], after: Mapping[str, int | float | str]) -> int:
    return int(after[name]) - int(before[name])


def _fits(book: Book) -> bool:
    """Whether a book's prices are prices: one that is not must not refuse the whole table."""
    return all(price is None or 0 <= price <= E6 for price in (book.tick_e6, book.last_trade_e6))


def _publish(lake: Lake, tier: Tier, slot_at: datetime, took: _Take, due: pa.Table) -> None:
    if not took.rows:
        return
    books = books_table(took.rows, slot_at)
    snapshots = snapshotting.snapshots(books, due)
    for table, rows in (("orderbooks", books), ("snapshots", snapshots)):
        lake.publish(table, rows, part=part_of(slot_at), at=slot_at, tier=tier.name)


def _reason(status: str, behind: timedelta, took: _Take) -> str | None:
    """What was late, refused, missing or unreadable, cut to a readable length: `gone` and `unreadable` name all."""
    said = []
    if status == LATE:
        said.append(f"begun {behind.total_seconds():.1f} s after the slot")
    if took.failures and status != MISSED:
        said.append(f"{took.unanswered} markets unanswered, {took.unasked} not asked for")
    # Batches mostly fail alike.
    said += dict.fromkeys(took.failures)
    if took.malformed:
        said.append(f"{len(took.malformed)} unreadable: {', '.join(took.malformed)}")
    if took.gone:
        said.append(f"{len(took.gone)} without a book: {', '.join(took.gone)}")
    return "; ".join(said)[:REASON_CHARACTERS] or None


def books_table(rows: Sequence[tuple[str, Book, datetime]], slot_at: datetime) -> pa.Table:
    """Books with their market and time of receipt, as `orderbooks` rows of a slot."""
    schema = TABLES["orderbooks"].schema
    books = [book for _, book, _ in rows]
    columns = {
        "market_id": [market for market, _, _ in rows],
        "slot_at": [slot_at] * len(rows),
        "received_at": [at for _, _, at in rows],
        "venue_at": [book.venue_at for book in books],
        "token_id": [book.token_id for book in books],
        "tick_e6": [book.tick_e6 for book in books],
        "bids": _levels(book.bids for book in books),
        "asks": _levels(book.asks for book in books),
        "last_trade_e6": [book.last_trade_e6 for book in books],
        "hash": [book.hash for book in books],
    }
    return pa.Table.from_pydict(columns, schema=schema)


def _levels(sides: Iterable[tuple[Level, ...]]) -> pa.Array:
    """Sides of books as one nested column, built flat: a dictionary per level would cost ten times as much."""
    offsets: list[int] = [0]
    flat: list[Level] = []
    for side in sides:
        flat.extend(side)
        offsets.append(len(flat))
    fields = list(LEVELS.value_type)
    values = pa.StructArray.from_arrays(
        [
            pa.array([level.price_e6 for level in flat], fields[0].type),
            pa.array([level.size_e6 for level in flat], fields[1].type),
        ],
        fields=fields,
    )
    return pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), values, type=LEVELS)
