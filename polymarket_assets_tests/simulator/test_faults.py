"""Each fault over real sockets: what its victim hears, that others hear everything, and that it can be ended."""

from __future__ import annotations

import contextlib
import json
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import requests
import websocket

from polymarket_assets_tests.simulator.conftest import BUSY, lines
from polymarket_assets_tests.simulator.listening import Client, begin, control, end, live_tokens, until
from polymarket_assets_tests.simulator.recorder import Recorder
from simulator.books import book_hash
from simulator.market import STANDALONE
from simulator.profiles import Standing
from simulator.running import Running, start

# Enough for a lively venue to say something of most markets.
A_WHILE_S = 1.0
# Markets that outlive every test, moving as fast as any.
LASTING = replace(BUSY, name="lasting", standing=(Standing(40, STANDALONE, 0.05, 0.08),), brief_every_s=5.0)


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("faults") / "ledger.jsonl"


@pytest.fixture(scope="module")
def venue(ledger: Path) -> Iterator[Running]:
    with start(seed=5, profile=LASTING, ledger=ledger) as running:
        yield running


@pytest.fixture(scope="module")
def ids(venue: Running) -> list[str]:
    return live_tokens(venue)


@contextlib.contextmanager
def clients(venue: Running, ids: list[str], count: int = 2) -> Iterator[list[Client]]:
    """Listeners to the same tokens that have their first books."""
    made = [Client(venue, ids) for _ in range(count)]
    for client in made:
        until(lambda client=client: client.frames("price_change"))
    try:
        yield made
    finally:
        for client in made:
            client.close()


@contextlib.contextmanager
def fault(venue: Running, name: str, **parameters: Any) -> Iterator[int]:
    id_ = begin(venue, name, **parameters)
    try:
        yield id_
    finally:
        if any(one["id"] == id_ for one in control(venue)["on"]):
            end(venue, id_)


def told(ledger: Path, kind: str, id_: int) -> dict[str, Any]:
    """The line of a fault's begin or end, as soon as it is on disk."""
    found: list[dict[str, Any]] = until(lambda: [line for line in lines(ledger, kind) if line["id"] == id_])
    assert len(found) == 1
    return found[0]


def test_a_frozen_socket_still_answers_ping(venue: Running, ids: list[str]) -> None:
    with (
        clients(venue, ids) as (frozen, other),
        fault(venue, "freeze_socket", sockets=[frozen.number]) as id_,
    ):
        frozen.catches_up()
        before = len(frozen.data)
        frozen.say("PING")
        until(lambda: "PONG" in frozen.texts)
        other.waits_to_hear(20)
        frozen.subscribe(["1"])
        assert len(frozen.data) == before
        end(venue, id_)
        frozen.waits_to_hear(20)


def test_a_frozen_socket_was_not_handed_the_trades(venue: Running, ids: list[str], ledger: Path) -> None:
    """The drill's count of what was lost rests on it."""
    with (
        clients(venue, ids) as (frozen, other),
        fault(venue, "freeze_socket", sockets=[frozen.number]) as id_,
    ):
        began = told(ledger, "fault_begin", id_)
        assert began["sockets"] == [frozen.number]
        assert set(ids) <= set(began["token_ids"])
        heard = len(other.frames("last_trade_price"))
        until(lambda: len(other.frames("last_trade_price")) > heard + 3)
        traded = {frame["transaction_hash"] for frame in other.frames("last_trade_price")[heard + 1 :]}
        said = until(lambda: [line for line in lines(ledger, "trade") if line["tx_hash"] in traded])
        assert all(frozen.number not in line["sockets"] and other.number in line["sockets"] for line in said)
        assert all(line["withheld"] == {str(frozen.number): "freeze_socket"} for line in said)
        end(venue, id_)
        assert told(ledger, "fault_end", id_)["withheld"] > 3


def test_frozen_tokens_are_silent_while_others_and_rest_go_on(venue: Running, ids: list[str]) -> None:
    with clients(venue, ids, 1) as (client,), fault(venue, "freeze_tokens", token_ids=ids[:2]):
        client.catches_up()
        seen, book = len(client.heard), _rest(venue, ids[0])
        until(lambda: _rest(venue, ids[0])["hash"] != book["hash"])
        client.waits_to_hear(20)
        assert not any(token in text for text in client.texts[seen:] for token in ids[:2])


def test_a_single_frozen_token_is_missing_from_its_market_s_frames(venue: Running, ids: list[str]) -> None:
    with clients(venue, ids, 1) as (client,), fault(venue, "freeze_tokens", token_ids=ids[:1]):
        client.catches_up()
        seen = len(client.frames("price_change"))
        until(lambda: ids[1] in str(client.frames("price_change")[seen:]))
        assert ids[0] not in str(client.frames("price_change")[seen:])


def test_a_share_of_tokens_is_a_share_of_whole_markets(venue: Running, ids: list[str]) -> None:
    with clients(venue, ids, 1) as (client,), fault(venue, "freeze_tokens", share=0.5) as id_:
        one = next(one for one in control(venue)["on"] if one["id"] == id_)
        assert len(ids) * 0.2 < one["tokens"] < len(ids) * 0.8
        seen = len(client.heard) + 5
        client.waits_to_hear(60)
        heard = {token for token in ids if any(token in text for text in client.texts[seen:])}
        assert heard
        assert all((first in heard) == (second in heard) for first, second in zip(ids[::2], ids[1::2], strict=True))  # fmt: skip


def test_a_token_may_be_healed_by_subscribing_anew(venue: Running, ids: list[str]) -> None:
    with clients(venue, ids, 1) as (client,), fault(venue, "freeze_tokens", token_ids=ids[:2], resubscribing_heals=True):  # fmt: skip
        client.catches_up()
        seen = len(client.heard)
        client.say({"operation": "unsubscribe", "assets_ids": ids[:2]})
        client.subscribe(ids[:2])
        until(lambda: any(ids[0] in text for text in client.texts[seen:]))


@pytest.mark.parametrize("dump", [False, True])
def test_tokens_beyond_the_silent_cap_are_accepted_and_not_served(venue: Running, ids: list[str], dump: bool) -> None:  # fmt: skip
    with fault(venue, "silent_cap", tokens=10, dump=dump):
        client = Client(venue, ids)
        client.waits_to_hear(5)
        time.sleep(A_WHILE_S)
        books = {book["asset_id"] for text in client.texts if text[0] == "[" for book in json.loads(text)}
        assert set(ids[:10]) <= books
        assert books == set(ids if dump else ids[:10])
        changed = {entry["asset_id"] for f in client.frames("price_change") for entry in f["price_changes"]}
        assert changed
        assert changed <= set(ids[:10])
        client.close()


def test_a_request_is_answered_by_invalid_operation_and_not_done(venue: Running, ids: list[str]) -> None:
    with fault(venue, "invalid_operation"):
        client = Client(venue, ids[:4])
        until(lambda: client.texts)
        client.falls_silent()
        assert set(client.texts) == {"INVALID OPERATION"}
    client.subscribe(ids)
    client.waits_to_hear(5)
    client.close()


def test_a_half_open_connection_stays_open_and_says_nothing(venue: Running, ids: list[str]) -> None:
    with clients(venue, ids) as (cut, other), fault(venue, "half_open", sockets=[cut.number]) as id_:
        before = cut.falls_silent()
        cut.say("PING")
        other.waits_to_hear(20)
        assert len(cut.heard) == before
        assert cut.ended is None
        end(venue, id_)
        cut.waits_for_the_end()
        assert cut.code is None
        assert len(cut.heard) == before


def test_a_half_open_connection_outlives_the_venue_s_patience() -> None:
    """It would notice the missing PING, were it there."""
    with start(seed=3, ping_timeout_s=0.2) as venue:
        client = Client(venue)
        begin(venue, "half_open")
        time.sleep(0.8)
        assert client.ended is None


def test_without_pong_data_flows_on(venue: Running, ids: list[str]) -> None:
    with clients(venue, ids, 1) as (client,):
        with fault(venue, "no_pong"):
            client.say("PING")
            client.waits_to_hear(20)
            assert "PONG" not in client.texts
        client.say("PING")
        until(lambda: "PONG" in client.texts)


@pytest.mark.parametrize(("code", "reason"), [(1000, ""), (1001, "going away"), (1011, "internal error"), (1012, "service restart"), (1013, "slow consumer: send buffer full")])  # fmt: skip
def test_a_socket_is_closed_with_code_and_reason(venue: Running, code: int, reason: str) -> None:
    client, other = Client(venue), Client(venue)
    begin(venue, "close", sockets=[client.number], code=code)
    client.waits_for_the_end()
    assert (client.code, client.ended) == (code, reason)
    assert other.ended is None
    assert not control(venue)["on"]
    other.close()


def test_a_connection_ends_without_a_close_frame(venue: Running) -> None:
    client = Client(venue)
    begin(venue, "close", sockets=[client.number], code=1006)
    client.waits_for_the_end()
    assert client.code is None
    assert isinstance(client.ended, websocket.WebSocketConnectionClosedException | OSError)


def test_a_close_that_lasts_meets_whoever_comes_back(venue: Running) -> None:
    with fault(venue, "close", for_s=20, reason="not today"):
        again = websocket.create_connection(venue.ws_url, timeout=5)
        assert again.recv_frame().opcode == websocket.ABNF.OPCODE_CLOSE


def test_new_connections_are_refused_and_old_ones_stay(venue: Running, ids: list[str]) -> None:
    with clients(venue, ids, 1) as (client,):
        with fault(venue, "refuse"):
            with pytest.raises(websocket.WebSocketBadStatusException, match="503"):
                websocket.create_connection(venue.ws_url, timeout=5)
            client.waits_to_hear(10)
            assert requests.get(f"{venue.clob_url}/ok", timeout=5).status_code == 200
        Client(venue).close()


def test_an_outage_of_the_socket_ends_what_is_open_too(venue: Running) -> None:
    client = Client(venue)
    with fault(venue, "refuse", drop=True):
        client.waits_for_the_end()
        with pytest.raises(websocket.WebSocketBadStatusException):
            websocket.create_connection(venue.ws_url, timeout=5)


def test_a_fault_ends_after_its_time(venue: Running, ledger: Path) -> None:
    id_ = begin(venue, "no_pong", for_s=0.2)
    until(lambda: not control(venue)["on"])
    assert told(ledger, "fault_end", id_)["why"] == "for_s"


def test_frames_come_twice(venue: Running, ids: list[str]) -> None:
    with clients(venue, ids, 1) as (client,), fault(venue, "duplicate"):
        client.catches_up()
        seen = len(client.heard)
        client.waits_to_hear(40)
        counts = Counter(client.texts[seen + 1 : seen + 39])
        assert sum(count == 2 for count in counts.values()) >= 15


def test_frames_come_late_and_in_order(venue: Running, ids: list[str]) -> None:
    with clients(venue, ids) as (late, prompt), fault(venue, "delay", sockets=[late.number], delay_s=0.4):
        late.catches_up()
        seen = len(late.heard)
        late.waits_to_hear(30)
        came = {text: at for at, text in reversed(prompt.heard)}
        delays = [at - came[text] for at, text in late.heard[seen:] if text in came]
        assert delays
        assert all(0.35 < delay < 2.0 for delay in delays)
        both = [text for text in prompt.texts if text in set(late.texts[seen:])]
        assert late.texts[seen : seen + len(both)] == both


def test_frames_come_out_of_order(venue: Running, ids: list[str]) -> None:
    with clients(venue, ids) as (mixed, plain), fault(venue, "reorder", sockets=[mixed.number], within_s=0.3):
        mixed.catches_up()
        seen = len(mixed.heard)
        mixed.waits_to_hear(60)
        heard = mixed.texts[seen:]
        right = [text for text in plain.texts if text in set(heard)]
        assert Counter(heard) == Counter(right)
        assert heard != right


def test_everything_comes_in_bursts(venue: Running, ids: list[str]) -> None:
    with clients(venue, ids, 1) as (client,), fault(venue, "burst", every_s=0.5):
        client.waits_to_hear()
        seen = len(client.heard)
        client.say("PING")
        client.waits_to_hear(10)
        time.sleep(1.1)
        at = [at for at, _ in client.heard[seen:]]
        pauses = [later - sooner for sooner, later in pairwise(at)]
        assert 1 <= sum(pause > 0.3 for pause in pauses) <= 4
        assert all(pause < 0.2 or pause > 0.3 for pause in pauses)
        assert "PONG" in client.texts


KEYS = {"changes": ["market", "asset_id", "timestamp", "hash", "changes", "event_type"]}
KEYS["flat"] = ["asset_id", "event_type", "hash", "market", "price", "side", "size", "timestamp"]


@pytest.mark.parametrize("form", ["changes", "flat"])
def test_changes_come_in_their_older_forms(venue: Running, ids: list[str], form: str) -> None:
    with clients(venue, ids, 1) as (client,), fault(venue, "old_forms", form=form):
        client.catches_up()
        seen = len(client.frames("price_change"))
        until(lambda: len(client.frames("price_change")) > seen + 4)
        old = client.frames("price_change")[seen + 1 :]
        assert all(list(frame) == KEYS[form] for frame in old)
        assert {frame["asset_id"] for frame in old} <= set(ids)


def test_the_flat_form_has_the_recorded_keys(recorded_dir: Path) -> None:
    seen = json.loads((recorded_dir / "ws" / "nautilus_price_change_flat_2024_08.json").read_text())
    assert list(seen) == KEYS["flat"]


def test_torn_frames_are_no_json_and_no_trades(venue: Running, ids: list[str], ledger: Path) -> None:
    with clients(venue, ids) as (torn, whole), fault(venue, "torn_json", sockets=[torn.number]):
        torn.catches_up()
        seen, traded = len(torn.heard), len(whole.frames("last_trade_price"))
        until(lambda: len(whole.frames("last_trade_price")) > traded + 1)
        for text in torn.texts[seen:]:
            with pytest.raises(json.JSONDecodeError):
                json.loads(text)
        tx = whole.frames("last_trade_price")[-1]["transaction_hash"]
        (line,) = until(lambda: [line for line in lines(ledger, "trade") if line["tx_hash"] == tx])
        assert line["withheld"] == {str(torn.number): "torn_json"}
        assert whole.number in line["sockets"]


def test_a_wrong_clock_gives_true_hashes_of_wrong_times(venue: Running, ids: list[str]) -> None:
    """A recorder must not take a venue whose clock is wrong for one whose books are."""
    with fault(venue, "clock_skew", skew_s=-3600):
        client = Client(venue, ids[:2])
        client.waits_to_hear()
        book = json.loads(client.texts[0])[0]
        assert -3700 < int(book["timestamp"]) / 1000 - time.time() < -3500
        whole = {**book, "min_order_size": "5"}
        assert book["hash"] in {book_hash({**whole, "neg_risk": risk}) for risk in (False, True)}
        true = _rest(venue, book["asset_id"])
        assert int(true["timestamp"]) - int(book["timestamp"]) >= 3_600_000
        client.close()


def test_a_dropped_change_makes_a_book_that_later_hashes_contradict(venue: Running, ids: list[str]) -> None:
    """Nothing else tells: the frames themselves are all in order."""
    with clients(venue, ids) as (misled, true), fault(venue, "wrong_book", sockets=[misled.number]) as id_:
        until(lambda: _contradicted(misled, ids))
        assert not _contradicted(true, ids)
        (one,) = [one for one in control(venue)["on"] if one["id"] == id_]
        assert (one["withheld"], one["tokens"]) == (1, 2)


def _contradicted(client: Client, ids: list[str]) -> bool:
    try:
        return not Recorder(ids).apply(client.data)
    except AssertionError:
        return True


def _rest(venue: Running, token: str) -> dict[str, Any]:
    return requests.get(f"{venue.clob_url}/book", params={"token_id": token}, timeout=5).json()  # type: ignore[no-any-return]
