"""The streamer as a process, over real sockets: what it was told is in the lake, whatever happens to it."""

from __future__ import annotations

import errno
import json
import signal
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from polymarket_assets.lake.writing import Lake
from polymarket_assets_tests.streamer.conftest import Streamer, list_markets, market_row
from polymarket_assets_tests.streamer.odd_venue import OddVenue, condition, tokens, trade, wait_until
from streamer.__main__ import main

Make = Callable[..., Streamer]


def heard(streamer: Streamer) -> list[int]:
    return sorted(int.from_bytes(row["tx_hash"]) for row in streamer.rows("trades_raw"))


def test_what_was_heard_is_in_the_lake_after_a_clean_stop(
    lake: Lake, odd_venue: OddVenue, streamer: Make
) -> None:
    """Stopping must publish everything and take seconds: whoever stops us kills after twenty."""
    list_markets(lake, [market_row(n) for n in range(6)])
    one = streamer(odd_venue.url)
    one.start()
    one.wait_for_books(12)
    odd_venue.say(
        trade(0, 7),
        trade(1, 8),
        "INVALID OPERATION",
        '{"event_type":"last_trade_pri',
        {"event_type": "new_market", "market": condition(9), "timestamp": "1790000000000"},
    )
    wait_until(lambda: one.health()["frames"].get("last_trade_price", 0) >= 4, "the trades are heard")
    began = time.monotonic()
    assert one.stop() == 0
    assert time.monotonic() - began < 8
    # Two sockets heard everything once each.
    assert heard(one) == [7, 7, 8, 8]
    trades = one.rows("trades_raw")
    assert {(row["price_e6"], row["size_e6"], row["outcome_index"], row["is_buy"]) for row in trades} == {
        (500_000, 12_500_000, 0, True)
    }
    assert {row["market_id"] for row in trades} == {f"pm:{condition(n)}" for n in (0, 1)}
    rejected = sorted(row["payload"] for row in one.rows("rejects"))
    assert rejected == ["INVALID OPERATION"] * 2 + ['{"event_type":"last_trade_pri'] * 2
    assert [row["kind"] for row in one.rows("market_events")] == ["new_market"] * 2
    books = one.rows("book_changes")
    assert {(row["kind"], row["is_bid"], row["price_e6"]) for row in books} == {
        ("book", True, 480_000),
        ("book", False, 500_000),
    }
    assert len(books) == 12, "the second token's book is the first's mirror"
    causes = Counter(row["cause"] for row in one.rows("stream_gaps"))
    assert causes == {"connect": 2, "unreadable": 2}, "a refusal hides nothing, torn data does"
    assert not list(one.state_dir.glob("stream/*/*.journal"))


def test_a_killed_streamer_loses_and_doubles_nothing(lake: Lake, odd_venue: OddVenue, streamer: Make) -> None:
    list_markets(lake, [market_row(0)])
    one = streamer(odd_venue.url)
    one.start()
    one.wait_for_books(2)
    for n in range(50):
        odd_venue.say(trade(0, n))
    wait_until(lambda: one.health()["frames"].get("last_trade_price", 0) == 50, "the trades are heard")
    one.stop(signal.SIGKILL)
    killed_at = time.time()
    assert heard(one) == [], "nothing was published yet: it is in the journal alone"
    one.start()
    wait_until(lambda: heard(one) == list(range(50)), "the journal is recovered")
    wait_until(lambda: "(crashed, all)" in one.said, "the time without us is a gap")
    one.wait_for_books(2)
    one.stop()
    assert heard(one) == list(range(50))
    (crash,) = [row for row in one.rows("stream_gaps") if row["cause"] == "crashed"]
    assert crash["connection"] is None
    # It is dated to the last second in which the process said that it was alive.
    assert killed_at - 3 < crash["from_at"].timestamp() < killed_at
    again = [row for row in one.rows("stream_gaps") if row["cause"] == "connect"][-1]
    assert crash["from_at"] < crash["to_at"] == again["from_at"], "no moment between them is unaccounted"
    assert [folder.name for folder in (one.state_dir / "stream").iterdir() if folder.is_dir()] != []
    keys = [(row["session_id"], row["connection"], row["sequence"]) for row in one.rows("trades_raw")]
    assert len(set(keys)) == 50


def test_the_time_between_two_runs_is_a_gap(lake: Lake, odd_venue: OddVenue, streamer: Make) -> None:
    list_markets(lake, [market_row(0)])
    one = streamer(odd_venue.url)
    one.start()
    one.wait_for_books(2)
    one.stop()
    one.start()
    wait_until(lambda: "(stopped, all)" in one.said, "the time without us is a gap")
    one.stop()
    (gap,) = [row for row in one.rows("stream_gaps") if row["cause"] == "stopped"]
    assert 0 < (gap["to_at"] - gap["from_at"]).total_seconds() < 10
    assert gap["gap_id"].endswith(":0")
    assert gap["session_id"] != gap["gap_id"].split(":")[0]


def test_a_frozen_socket_is_given_up_although_it_answers_pings(
    lake: Lake, odd_venue: OddVenue, streamer: Make
) -> None:
    list_markets(lake, [market_row(0)])
    one = streamer(odd_venue.url, STREAM_SILENCE_S="1.5")
    one.start()
    one.wait_for_books(2)
    for n in range(30):
        odd_venue.say(trade(0, n))
        time.sleep(0.1)
    wait_until(lambda: len(odd_venue.received) >= 2, "it connects again")
    one.wait_for_books(2)
    one.stop()
    gap = next(row for row in one.rows("stream_gaps") if row["cause"] == "silent")
    assert gap["connection"] == 0
    # Twenty intervals of a quarter of a second, the finest that a pace is taken in, and the way back.
    assert 4.5 < (gap["to_at"] - gap["from_at"]).total_seconds() < 9


def test_a_closed_connection_is_a_gap_from_its_last_data_to_the_next_books(
    lake: Lake, odd_venue: OddVenue, streamer: Make
) -> None:
    list_markets(lake, [market_row(0)])
    one = streamer(odd_venue.url)
    one.start()
    one.wait_for_books(2)
    odd_venue.say(trade(0, 1))
    last_data = time.time()
    time.sleep(0.5)
    odd_venue.close()
    wait_until(lambda: len(odd_venue.received) == 2, "it connects again")
    one.wait_for_books(2)
    wait_until(lambda: one.health()["gaps"] == 2, "the gap is recorded")
    back = time.time()
    one.stop()
    (gap,) = [row for row in one.rows("stream_gaps") if row["cause"] == "closed"]
    assert gap["from_at"].timestamp() == pytest.approx(last_data, abs=0.2)
    assert last_data + 0.5 < gap["to_at"].timestamp() < back
    assert "1013 slow consumer" in one.said


def test_new_markets_are_subscribed_and_ended_ones_given_up_on_the_open_socket(
    lake: Lake, odd_venue: OddVenue, streamer: Make
) -> None:
    list_markets(lake, [market_row(0), market_row(1)])
    one = streamer(odd_venue.url)
    one.start()
    one.wait_for_books(4)
    list_markets(lake, [market_row(1, phase="closed"), market_row(2)], part="1")
    wait_until(lambda: odd_venue.subscribed == {*tokens(0), *tokens(2)}, "the change reaches the venue")
    one.wait_for_books(4)
    one.stop()
    assert len(odd_venue.received) == 2, "no socket was made anew for it"
    asked = [json.loads(message) for said in odd_venue.received for message in said if message != "PING"]
    assert all(message["custom_feature_enabled"] is True for message in asked)
    assert sum(message.get("type") == "market" for message in asked) == 2, (
        "the initial form once per connection"
    )


def test_a_token_without_a_book_is_asked_for_again_and_has_its_own_gap(
    lake: Lake, odd_venue: OddVenue, streamer: Make
) -> None:
    list_markets(lake, [market_row(0)])
    odd_venue.dumps = False
    one = streamer(odd_venue.url, STREAM_FIRST_BOOK_S="0.5", STREAM_SILENCE_S="30")
    one.start()
    again = [{"operation": "unsubscribe"}, {"operation": "subscribe"}]
    wait_until(lambda: odd_venue.received and len(odd_venue.received[0]) >= 3, "it asks again")
    asked = [json.loads(message) for message in odd_venue.received[0]]
    assert [{"operation": message.get("operation")} for message in asked[1:3]] == again
    odd_venue.say(trade(0, 1))
    wait_until(lambda: one.health()["gaps"] == 1, "the connection hears, two tokens do not")
    one.stop()
    gaps = sorted((row["cause"], row["market_id"]) for row in one.rows("stream_gaps") if row["market_id"])
    assert gaps == [("subscribe", f"pm:{condition(0)}")]
    assert heard(one) == [1]


def test_an_unreachable_venue_is_named_in_one_sentence_and_tried_again(lake: Lake, streamer: Make) -> None:
    list_markets(lake, [market_row(0)])
    one = streamer("ws://127.0.0.1:9/ws/market")
    one.start()
    wait_until(
        lambda: "the venue is unreachable: ws://127.0.0.1:9/ws/market cannot be reached" in one.said,
        "it is said",
    )
    time.sleep(1)
    assert one.said.count("unreachable") == 1
    assert one.health()["status"] == "troubled"
    assert one.stop() == 0
    assert [row["cause"] for row in one.rows("stream_gaps")] == ["connect"]


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"LAKE_ROOT": ""}, "LAKE_ROOT is not set"),
        ({"STREAM_SILENCE_S": "soon"}, "STREAM_SILENCE_S='soon' cannot be used"),
        ({"STREAM_TIERS": "t9"}, "unknown tier 't9'"),
        ({"LAKE_ROOT": "/proc/lake"}, "/proc/lake"),
        ({"STATE_DIR": "/proc/state"}, "/proc/state"),
    ],
)
def test_what_cannot_work_ends_in_one_sentence(streamer: Make, settings: dict[str, str], said: str) -> None:
    ended = streamer("ws://127.0.0.1:9/ws/market", **settings).command("run")
    assert ended.returncode == 1
    assert said in ended.stderr
    assert len(ended.stderr.strip().splitlines()) == 1, ended.stderr


def test_a_full_state_folder_is_told_with_its_remedy(
    lake: Lake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Begun on a full disk, a session would be taken for one that crashed."""

    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setenv("LAKE_ROOT", str(lake.root))
        patched.setenv("STATE_DIR", str(tmp_path / "state"))
        patched.setattr(Path, "write_bytes", full)
        patched.setattr(lake.store.__class__, "write_bytes", lambda *_: None)
        assert main(["run"]) == 1
    assert "No space left on device; make room" in capsys.readouterr().err
    assert not list((tmp_path / "state").iterdir())


def test_a_second_streamer_of_the_same_shard_is_refused(
    lake: Lake, odd_venue: OddVenue, streamer: Make
) -> None:
    one, other = streamer(odd_venue.url), streamer(odd_venue.url)
    one.start()
    ended = other.command("run")
    assert (ended.returncode, "shard 0 of 1 is running" in ended.stderr) == (1, True)
    third = streamer(odd_venue.url, STREAM_SHARD="1", STREAM_SHARDS="2")
    third.port = one.port
    ended = third.command("run")
    assert (ended.returncode, "STREAM_STATUS_PORT" in ended.stderr) == (1, True)
