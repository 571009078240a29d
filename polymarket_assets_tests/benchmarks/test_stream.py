"""The streamer's yardstick is true: what the venue says is consistent and counted, and a run that lost something gives no figure."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import websocket

from benchmarks import telling
from benchmarks.rows import Failed, Row
from benchmarks.stream import bare, recording, suite
from benchmarks.stream.books import Said, condition, tokens
from benchmarks.stream.durable import percentile, waits_s
from benchmarks.stream.processes import VenueProcess
from benchmarks.stream.profiling import shares
from benchmarks.stream.recording import Load
from benchmarks.stream.stages import unframed
from benchmarks.stream.traffic import Traffic, traffic, until
from polymarket_assets.lake.writing import Lake
from simulator.books import book_hash
from streamer.entries import Heard, Tick, encode
from streamer.journal import Segment, whole_bytes

MARKETS, MESSAGES = 20, 4_000


@pytest.fixture(scope="module")
def made() -> Traffic:
    return traffic(MARKETS, MESSAGES)


@pytest.fixture(scope="module")
def venue() -> Iterator[VenueProcess]:
    with VenueProcess(MARKETS, MESSAGES) as process:
        yield process


def frames(said: list[Said]) -> Iterator[dict[str, Any]]:
    for one in said:
        yield from map(json.loads, unframed(one))


def test_the_mix_is_that_of_the_venue(made: Traffic) -> None:
    kinds: Counter[str] = Counter()
    sizes: Counter[str] = Counter()
    for one in made.said:
        for message in unframed(one):
            kind = json.loads(message)["event_type"]
            kinds[kind] += 1
            sizes[kind] += len(message)
    share = {kind: count / kinds.total() for kind, count in kinds.items()}
    assert share == pytest.approx(
        {"price_change": 0.979, "book": 0.014, "last_trade_price": 0.006, "best_bid_ask": 0.001}, abs=0.002
    )
    assert 605 < sizes["price_change"] / kinds["price_change"] < 620
    assert {len(token) for n in range(MARKETS) for token in tokens(n)} == {77}


def test_what_is_said_of_each_market_adds_up_to_the_books_it_hashes(made: Traffic) -> None:
    """A recorder that keeps books and checks hashes must find every one of them right, or it would be measured while it heals."""
    books = {token: json.loads(text) for token, text in made.dumps.items()}
    last: dict[str, str] = {}
    checked = 0
    for of_market in range(MARKETS):
        held = list(frames([one for one in made.said if one.market == of_market]))
        for n, frame in enumerate(held):
            if frame["event_type"] == "book":
                books[frame["asset_id"]] |= {side: frame[side] for side in ("bids", "asks")}
                trade = next(f for f in held[n:] if f["event_type"] != "book")
                if trade["event_type"] == "last_trade_price" and trade["timestamp"] == frame["timestamp"]:
                    last[frame["asset_id"]] = f"{float(trade['price']):.3f}"
                else:
                    # The trade behind these books is not among those told.
                    last.pop(frame["asset_id"], None)
            elif frame["event_type"] == "price_change":
                for change in frame["price_changes"]:
                    apply(books[change["asset_id"]], change)
                    assert best(books[change["asset_id"]]) == (change["best_bid"], change["best_ask"])
                if n + 1 < len(held) and held[n + 1]["timestamp"] == frame["timestamp"]:
                    continue
                for change in frame["price_changes"]:
                    if change["asset_id"] in last:
                        book = books[change["asset_id"]]
                        state = {"min_order_size": "5", "neg_risk": False, "timestamp": frame["timestamp"], "last_trade_price": last[change["asset_id"]]}  # fmt: skip
                        assert book_hash({**book, **state}) == change["hash"]
                        checked += 1
    assert checked > 100


def apply(book: dict[str, Any], change: dict[str, str]) -> None:
    side, rising = ("bids", 1) if change["side"] == "BUY" else ("asks", -1)
    kept = [level for level in book[side] if level["price"] != change["price"]]
    if change["size"] != "0":
        kept.append({"price": change["price"], "size": change["size"]})
    book[side] = sorted(kept, key=lambda level: rising * float(level["price"]))


def best(book: dict[str, Any]) -> tuple[str, str]:
    return book["bids"][-1]["price"], book["asks"][-1]["price"]


def test_a_second_pass_begins_each_market_with_its_books_and_settles_trades_anew(made: Traffic) -> None:
    """Changes apply to the book before them, and a hash that was kept before would cost nothing to keep again."""
    told = list(until(2 * MESSAGES, made))
    again = told[len(made.said) :]
    seen: set[int] = set()
    for one in again:
        assert one.market in seen or one == made.reopened[one.market]
        seen.add(one.market)
    hashes = [f["transaction_hash"] for f in frames(told) if f["event_type"] == "last_trade_price"]
    assert len(set(hashes)) == len(hashes) > 40


def test_every_socket_is_told_exactly_what_is_counted(venue: VenueProcess) -> None:
    """The initial subscription, a later one, PING, and all messages in the order of each market."""
    held = [websocket.create_connection(venue.url, timeout=10) for _ in range(2)]
    for connected, ids in zip(held, bare.subscriptions(MARKETS, 2), strict=True):
        connected.send(json.dumps({"assets_ids": ids[:10], "type": "market", "custom_feature_enabled": True}))
        connected.send(json.dumps({"operation": "subscribe", "assets_ids": ids[10:], "custom_feature_enabled": True}))  # fmt: skip
        assert [len(json.loads(connected.recv())) for _ in range(2)] == [10, len(ids) - 10]
        connected.send("PING")
        assert connected.recv() == "PONG"
    venue.wait_for(2, 2 * MARKETS)
    venue.go(1_000)
    told = venue.done()
    assert told["told"]["messages"] == sum(told["sockets"]) >= 1_000
    assert told["first_messages"] == 4
    kinds: Counter[str] = Counter()
    for connected, count in zip(held, told["sockets"], strict=True):
        kinds.update(json.loads(connected.recv())["event_type"] for _ in range(count))
        connected.close()
    assert kinds["price_change"] == told["told"]["changes"]
    assert kinds["book"] == told["told"]["books"]
    assert kinds["last_trade_price"] == told["told"]["trades"]
    venue.wait_empty()


def test_a_humming_venue_is_never_silent(venue: VenueProcess) -> None:
    """Sockets that hear nothing are given up: a start would be measured that never ends."""
    connected = websocket.create_connection(venue.url, timeout=10)
    connected.send(json.dumps({"assets_ids": [tokens(3)[0]], "type": "market"}))
    first = json.loads(connected.recv())[0]
    venue.hum(0.05)
    heard = [json.loads(connected.recv()) for _ in range(4)]
    assert [frame["asset_id"] for frame in heard] == [*tokens(3), *tokens(3)]
    assert (heard[0]["hash"], heard[0]["bids"]) == (first["hash"], first["bids"])
    venue.go(1)
    venue.done()
    connected.close()
    venue.wait_empty()


def test_a_rate_is_kept(venue: VenueProcess) -> None:
    ran = recording.bare(venue, Load(2, 1_000, rate=2_000))
    assert ran.messages >= 1_000
    assert 0.4 < ran.wall_s < 1.5


@pytest.mark.slow
def test_the_streamer_is_measured_whole(venue: VenueProcess) -> None:
    """Through the journal and the lake: a run that lost a message would have failed."""
    ran = recording.streamer(venue, Load(2, MESSAGES))
    assert ran.messages >= MESSAGES
    assert ran.cpu_s > 0


def test_a_run_that_lost_something_gives_no_figure(lake: Lake) -> None:
    said = {"told": {"changes": 1, "levels": 0, "trades": 0}, "first_levels": 0}
    with pytest.raises(Failed, match="the lake holds"):
        recording._complete(lake, said)


def test_a_message_is_durable_with_the_first_hand_over_that_began_with_all_of_it(tmp_path: Path) -> None:
    folder, syncs = tmp_path / "kept", tmp_path / "syncs.jsonl"
    folder.mkdir()
    segment = Segment(folder, 1, datetime.now(UTC))
    records = [encode(Heard(1_000_000 * n, 0, b"x" * n)) for n in (1, 2)]
    segment.append([encode(Tick(0, 0)), *records])
    segment.close()
    inode, all_of_it = segment.path.stat().st_ino, segment.path.stat().st_size
    lacks_the_last = all_of_it - whole_bytes(records[-1:])
    syncs.write_text(
        "".join(f"{json.dumps(note)}\n" for note in ([inode, lacks_the_last, 1_400_000], [inode, all_of_it, 2_900_000], [7, 999, 0]))
    )  # fmt: skip
    assert waits_s(folder, syncs) == pytest.approx([0.4, 0.9])
    syncs.write_text(json.dumps([inode, lacks_the_last, 1_400_000]))
    with pytest.raises(Failed, match="never reached the disk"):
        waits_s(folder, syncs)
    assert percentile([float(n) for n in range(100)], 0.99) == 99


def test_samples_become_microseconds_by_function() -> None:
    found = shares([(["run", "read"], 3), (["run", "parse", "read"], 1), (["run"], 4)], us=16.0)
    assert [(s.function, s.own_us, s.whole_us) for s in found] == [("run", 8, 16), ("read", 8, 8), ("parse", 0, 2)]  # fmt: skip


def test_growth_is_a_slope_and_a_figure_says_whether_it_is_what_was_wanted() -> None:
    assert suite.slope([(0, 1), (1, 3), (2, 5)]) == pytest.approx(2)
    assert Row("few", 5, "s", 6, more=False).met
    assert not Row("many", 5, "s", 6).met
    assert Row("free", 5, "s").met is None
    told = telling.line("stream", Row("unknown", math.nan, "µs", note="why"))
    assert (told["value"], told["note"]) == (None, "why")
    assert telling.shown("title", [Row("unknown", math.nan, "µs")]).row_count == 1


def test_ids_are_stable() -> None:
    """Recorder and venue are other processes: both must name the same markets."""
    assert condition(7) == condition(7) != condition(8)
    assert len(condition(7)) == 66
