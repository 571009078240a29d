"""One wire, recorded as often as wanted: a simulator whose clock stands still, one journal of the socket, and a clock of ours that only waiting moves.

Whatever lake it is recorded into has to hold the same rows; a run of the demo, which lives on the wall clock, is never repeated.
"""

from __future__ import annotations

import random
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import requests

import simulator
from polymarket_assets import venue
from polymarket_assets.collecting import discovery, healing, history, market_hours, resolving, whales, windows
from polymarket_assets.lake import compacting, reading
from polymarket_assets.lake.spans import HOUR, Span, day_of, hour_of
from polymarket_assets.lake.writing import Lake
from polymarket_assets.learning import training_set
from polymarket_assets.learning.evidence.history import publish_history_days
from polymarket_assets.learning.evidence.recorded import publish_recorded
from polymarket_assets.settings import Settings
from polymarket_assets.shards import Shard
from polymarket_assets.tiers import TIERS
from polymarket_assets.venue.services import Venue
from simulator.running import Running
from streamer import journal, sealing, sessions
from streamer.entries import Entry, Gap, Heard, Listed, Markets, Stop, encode
from streamer.recording import Recorder, microseconds

AT = datetime(2026, 11, 2, 13, tzinfo=UTC)
SEED = 7
# One slot of the rarest tier, some of every other: T4 has forty.
WINDOW_S = 600.0
# Markets that are heard on the socket, and trades of each.
HEARD, TRADES = 40, 50
PAST_DAYS = 1
_SIZES = (5, 250, 30_000)
# What has rows afterwards; a comparison of lakes that lack some of it would show nothing of that.
FILLED = ("markets", "orderbooks", "snapshots", "sweeps", "market_hours", "trades_raw", "book_changes", "market_events", "rejects", "stream_gaps", "trades",
          "trade_hours", "whale_events", "resolutions", "history_markets", "history_prices", "features", "training_set")  # fmt: skip
# How long our limits made a request wait is measured, and no two runs measure the same.
MEASURED = {"sweeps": ("waited_s",)}


class Clock:
    """A clock that stands still but for who waits by it."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        """The instant."""
        return self.now

    def sleep(self, seconds: float) -> None:
        """Be later."""
        self.now += timedelta(seconds=seconds)


@dataclass(frozen=True)
class Wire:
    """A venue at one instant, and what its socket said from then on."""

    running: Running
    journalled: Path

    def record(self, lake: Lake, state_dir: Path) -> None:
        """All that the platform does with a lake between two listings and a model, in the order in which it does it."""
        settings, span = self._settings(), Span(day_of(AT) - timedelta(days=PAST_DAYS), day_of(AT))
        later = Clock(AT + HOUR + timedelta(minutes=5))
        discovery.discover(lake, self._venue(Clock(AT)).gamma, settings, clock=Clock(AT))
        for tier in TIERS:
            clock = Clock(AT)
            windows.run_window(lake, self._venue(clock), tier, settings, hour=AT, start=AT, window_s=WINDOW_S, run_id="one", clock=clock, sleep=clock.sleep)  # fmt: skip
        shutil.copytree(self.journalled, sessions.home(state_dir), dirs_exist_ok=True)
        sealed = sealing.seal(lake, state_dir, clock=later)
        _require(bool(sealed.sealed) and not sealed.held and not sealed.failed, f"not sealed: {sealed}")
        asked = self._venue(later)
        healing.build_trades(lake, asked.data, AT, clock=later)
        whales.build_whales(lake, AT)
        market_hours.build_market_hours(lake, AT)
        publish_recorded(lake, AT)
        for day in span.days():
            history.fetch_markets(lake, asked.gamma, day, clock=later)
            history.fetch_prices(lake, [asked.data], day, clock=later)
        resolving.resolve(lake, asked, clock=later)
        list(publish_history_days(lake, span))
        training_set.publish(lake, training_set.build(lake, now=later()))

    def _settings(self) -> Settings:
        at = self.running
        return Settings(_env_file=None, polymarket_gamma_url=at.gamma_url, polymarket_clob_url=at.clob_url, polymarket_data_url=at.data_url,
                        min_volume_usd=0.0, rate_share=1.0)  # fmt: skip

    def _venue(self, clock: Clock) -> Venue:
        """Clients whose requests go out by a clock of ours, which is what rows say of them."""
        connected = venue.connect(self._settings())
        for each in (connected.gamma, connected.clob, connected.data):
            each.service.clock = clock
        return connected


def compact(lake: Lake) -> None:
    """Close the hours, and take away what their files stand for. Raises `Undone` where nothing was closed or taken away, or not all of it."""
    back = timedelta(days=PAST_DAYS + 1)
    closed, again = (compacting.compact(lake, clock=Clock(AT + after), look_back=back) for after in (2 * HOUR, 3 * HOUR))  # fmt: skip
    for done in (closed, again):
        _require(not done.failed and not done.left, f"not compacted: {done}")
    _require(closed.folders > 0, f"no hour was closed: {closed}")
    _require(again.removed > 0, f"no part was taken away: {again}")


class Undone(Exception):
    """What is to be compared was not done: that nothing differs would say nothing."""


def _require(is_done: bool, otherwise: str) -> None:
    if not is_done:
        raise Undone(otherwise)


@contextmanager
def at_one_instant(folder: Path) -> Iterator[Wire]:
    """A venue that stands still, and a journal of what markets of it said within the hour."""
    with simulator.start(seed=SEED, ledger=None, clock=AT.timestamp) as running:
        wire = Wire(running, folder / "journalled")
        scratch = Lake(folder / "listed")
        discovery.discover(scratch, wire._venue(Clock(AT)).gamma, wire._settings(), clock=Clock(AT))
        listed = reading.rows(scratch, "markets").select(["market_id", "condition_id", "token_ids"]).to_pylist()  # fmt: skip
        heard = [Listed(row["market_id"], row["condition_id"], tuple(row["token_ids"])) for row in listed[:HEARD]]  # fmt: skip
        _journal(
            folder, wire.journalled, [*_books(running, heard), *_trades(heard), *_rarely(heard[0])], heard
        )
        yield wire


def _journal(folder: Path, kept: Path, messages: Sequence[Heard], markets: Sequence[Listed]) -> None:
    """A session that ended, of which nothing is in a lake yet."""
    session, at_us = sessions.begin(folder, Shard(), AT), microseconds(AT)
    deaf = Gap(f"{session.id}:1", _at_us(10), _at_us(20), "silence", 0)
    entries: list[Entry] = [
        Recorder(session.id).state(at_us),
        Markets(tuple(markets)),
        deaf,
        *messages,
        Stop(_at_us(3599)),
    ]
    segment = journal.Segment(session.folder, 1, AT)
    segment.append(map(encode, entries))
    segment.close()
    session.lock.release()
    sessions.home(folder).rename(kept)


def _books(running: Running, markets: Sequence[Listed]) -> Iterator[Heard]:
    """Whole books: the socket's form is that of REST with its type."""
    asked = [{"token_id": market.token_ids[0]} for market in markets]
    answered = requests.post(f"{running.clob_url}/books", json=asked, headers={"User-Agent": "drill"}, timeout=30)  # fmt: skip
    for n, book in enumerate(answered.json()):
        yield _heard(n, {**book, "event_type": "book"})


def _trades(markets: Sequence[Listed]) -> Iterator[Heard]:
    dice = random.Random(SEED)
    for n in range(TRADES * len(markets)):
        market, side = markets[n % len(markets)], dice.choice(["BUY", "SELL"])
        price, size = f"{dice.randint(1, 99) / 100:.2f}", str(dice.choice(_SIZES))
        yield _heard(1000 + n, {"event_type": "last_trade_price", "market": market.condition_id, "asset_id": market.token_ids[0], "price": price, "size": size,
                                "fee_rate_bps": "0", "side": side, "timestamp": f"{_at_us(1000 + n) // 1000}", "transaction_hash": f"0x{n:064x}"})  # fmt: skip


def _rarely(market: Listed) -> Iterator[Heard]:
    """What is seldom said: a finer grid, and something that nobody understands."""
    yield _heard(998, {"event_type": "tick_size_change", "market": market.condition_id, "asset_id": market.token_ids[0],
                       "old_tick_size": "0.01", "new_tick_size": "0.001", "timestamp": f"{_at_us(998) // 1000}"})  # fmt: skip
    yield _heard(999, {"event_type": "book", "market": "nobody's"})


def _heard(n: int, message: dict[str, Any]) -> Heard:
    return Heard(_at_us(n), 0, msgspec.json.encode(message))


def _at_us(n: int) -> int:
    """A second apart, so that features of the hour have something before and after them."""
    return microseconds(hour_of(AT)) + n * 1_000_000
