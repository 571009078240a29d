"""The market socket: subscriptions, keep-alive, what is sent, and that the ledger tells exactly that."""

from __future__ import annotations

import contextlib
import json
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import websocket

from polymarket_assets_tests.simulator.conftest import BUSY, lines, tokens, walk
from polymarket_assets_tests.simulator.listening import PATIENCE_S
from polymarket_assets_tests.simulator.recorder import Recorder
from simulator.running import Running, start


def connect(venue: Running) -> websocket.WebSocket:
    return websocket.create_connection(venue.ws_url, timeout=5)


def subscribe(socket: websocket.WebSocket, ids: list[str], **more: Any) -> None:
    socket.send(json.dumps({"assets_ids": ids, "type": "market", "custom_feature_enabled": True, **more}))


def listen(socket: websocket.WebSocket, seconds: float) -> list[str]:
    """Everything received within some seconds."""
    heard, until = [], time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0:
        socket.settimeout(left)
        with contextlib.suppress(websocket.WebSocketTimeoutException):
            heard.append(socket.recv())
    # Whoever reads on has time: what was left of the listening is next to none.
    socket.settimeout(PATIENCE_S)
    return heard


def frames(heard: list[str], type_: str) -> list[dict[str, Any]]:
    found = [json.loads(text) for text in heard if text.startswith("{")]
    return [frame for frame in found if frame["event_type"] == type_]


def listed(text: str) -> list[dict[str, Any]]:
    """What a message says, one frame or several."""
    said = json.loads(text)
    return said if isinstance(said, list) else [said]


def live_tokens(venue: Running) -> list[str]:
    return [token for row in walk(venue) if row["enableOrderBook"] and row["active"] for token in tokens(row)]


def test_a_subscription_begins_with_an_array_of_whole_books(venue: Running) -> None:
    ids = live_tokens(venue)[-6:]
    socket = connect(venue)
    subscribe(socket, ids)
    text = socket.recv()
    assert text.endswith("]\n")
    assert ", " not in text
    dump = json.loads(text)
    assert {book["asset_id"] for book in dump} <= set(ids)
    keys = [
        "market",
        "asset_id",
        "timestamp",
        "hash",
        "bids",
        "asks",
        "tick_size",
        "event_type",
        "last_trade_price",
    ]
    assert all([key for key in book if key != "version"] == keys for book in dump)
    socket.close()


def test_no_dump_when_none_is_wanted_and_none_for_a_token_already_held(venue: Running) -> None:
    ids = live_tokens(venue)[-4:]
    socket = connect(venue)
    subscribe(socket, ids, initial_dump=False)
    subscribe(socket, ids)
    assert not any(text.startswith("[") for text in listen(socket, 0.5))
    socket.close()


def test_ping_is_answered_and_nonsense_too(venue: Running) -> None:
    socket = connect(venue)
    socket.send("PING")
    assert socket.recv() == "PONG"
    socket.send("what?")
    assert socket.recv() == "INVALID OPERATION"
    socket.close()


def test_a_client_that_never_says_ping_is_dropped() -> None:
    with start(seed=3, ping_timeout_s=0.4) as venue:
        silent, alive = connect(venue), connect(venue)
        for _ in range(8):
            time.sleep(0.15)
            alive.send("PING")
        assert alive.recv() == "PONG"
        with pytest.raises((websocket.WebSocketConnectionClosedException, ConnectionError)):
            silent.recv_frame()


def test_a_frame_with_thousands_of_ids_is_answered_by_a_close(venue: Running) -> None:
    socket = connect(venue)
    subscribe(socket, [str(n) for n in range(3000)])
    assert socket.recv_frame().opcode == websocket.ABNF.OPCODE_CLOSE


def test_after_unsubscribing_nothing_more_comes(venue: Running) -> None:
    ids = live_tokens(venue)
    socket = connect(venue)
    subscribe(socket, ids)
    assert listen(socket, 1.0)
    socket.send(json.dumps({"operation": "unsubscribe", "assets_ids": ids}))
    # What was queued before is still on its way; the answer to a PING comes behind it.
    socket.send("PING")
    while socket.recv() != "PONG":
        pass
    assert not frames(listen(socket, 1.0), "price_change")
    socket.close()


def test_lifecycle_frames_come_only_with_custom_features(venue: Running) -> None:
    plain, custom = connect(venue), connect(venue)
    plain.send(json.dumps({"assets_ids": [], "type": "market"}))
    subscribe(custom, [])
    heard = listen(custom, 2.5)
    assert frames(heard, "new_market")
    assert not listen(plain, 0.2)
    plain.close()
    custom.close()


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[str], Path, list[str]]:
    """What a client heard in a few busy seconds, the ledger of the same, and the tokens listened to."""
    ledger = tmp_path_factory.mktemp("session") / "ledger.jsonl"
    with start(seed=2, profile=BUSY, ledger=ledger) as venue:
        socket = connect(venue)
        # Not all: a reader that is behind when the venue stops has not heard what it was told.
        ids = live_tokens(venue)[:160]
        for i in range(0, len(ids), 100):
            subscribe(socket, ids[i : i + 100])
        heard = listen(socket, 6.0)
        venue.stop()
        with contextlib.suppress(websocket.WebSocketException, OSError):
            while text := socket.recv():
                heard.append(text)
    return heard, ledger, ids


def test_the_ledger_s_trades_are_the_client_s_trades(session: tuple[list[str], Path, list[str]]) -> None:
    """The demo's proof rests on it: not one more, not one less."""
    heard, ledger, ids = session
    told = [line for line in lines(ledger, "trade") if line["sockets"]]
    received = frames(heard, "last_trade_price")
    assert len(received) >= 5
    assert Counter((t["transaction_hash"], t["asset_id"], t["side"], float(t["price"]), float(t["size"])) for t in received) == Counter(
        (line["tx_hash"], line["token_id"], line["side"], line["price"], line["size"]) for line in told
    )  # fmt: skip
    assert {line["token_id"] for line in told} <= set(ids)
    assert all(line["sockets"] == [] for line in lines(ledger, "trade") if line["token_id"] not in ids)


def test_the_ledger_counts_every_other_frame_too(session: tuple[list[str], Path, list[str]]) -> None:
    heard, ledger, _ = session
    told: Counter[str] = Counter()
    for line in lines(ledger, "frames"):
        told[line["type"]] += line["count"] * len(line["sockets"])
    received = Counter("dump" if text.startswith("[") else json.loads(text)["event_type"] for text in heard)
    del received["last_trade_price"]
    assert received == told


def test_a_trade_s_books_come_before_it(session: tuple[list[str], Path, list[str]]) -> None:
    """Those of the first second after the last dump are let off: their books may have come before we did."""
    heard, _, _ = session
    last_dump = max(n for n, text in enumerate(heard) if text.startswith("["))
    stamps = [said["timestamp"] for text in heard[: last_dump + 1] for said in listed(text)]
    settled = max(map(int, stamps)) + 1000
    books: Counter[str] = Counter()
    seen = 0
    for text in heard:
        said = json.loads(text)
        if isinstance(said, dict) and said["event_type"] == "book":
            books[said["market"]] += 1
        if (
            isinstance(said, dict)
            and said["event_type"] == "last_trade_price"
            and int(said["timestamp"]) > settled
        ):
            seen += 1
            books[said["market"]] -= 2
            assert books[said["market"]] >= 0
    assert seen >= 5


def test_applying_what_is_heard_gives_the_books_that_the_hashes_prove(session: tuple[list[str], Path, list[str]]) -> None:  # fmt: skip
    """Dump and changes, applied as a recorder would, reproduce the hash at the end of every batch."""
    heard, _, ids = session
    checked = Recorder(ids).apply(heard)
    assert checked > 300
