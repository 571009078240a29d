"""Clients of the market socket that keep all they hear, and the switches of the control port."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
import time
from typing import Any

import requests
import websocket

from polymarket_assets_tests.simulator.conftest import tokens, walk
from simulator.running import Running

PATIENCE_S = 10.0


class Client:
    """A connection that a thread listens to until it ends; `number` is the venue's name for it."""

    def __init__(self, venue: Running, ids: list[str] = (), **more: Any) -> None:  # type: ignore[assignment]
        known = {one["number"] for one in control(venue)["sockets"]}
        self.socket = websocket.create_connection(venue.ws_url, timeout=PATIENCE_S, skip_utf8_validation=True)
        (self.number,) = until(lambda: {one["number"] for one in control(venue)["sockets"]} - known)
        self.heard: list[tuple[float, str]] = []
        self.ended: BaseException | str | None = None
        self.code: int | None = None
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()
        if ids:
            self.subscribe(ids, **more)

    def _listen(self) -> None:
        self.socket.settimeout(None)
        try:
            while True:
                frame = self.socket.recv_frame()
                if frame.opcode == websocket.ABNF.OPCODE_CLOSE:
                    self.code, self.ended = int.from_bytes(frame.data[:2], "big"), frame.data[2:].decode()
                    self.socket.send_close()
                    return
                self.heard.append((time.monotonic(), frame.data.decode()))
        except (websocket.WebSocketException, OSError) as e:
            self.ended = e

    def subscribe(self, ids: list[str], **more: Any) -> None:
        for i in range(0, len(ids), 100):
            self.say({"assets_ids": ids[i : i + 100], "type": "market", "custom_feature_enabled": True, **more})  # fmt: skip

    def say(self, what: object) -> None:
        self.socket.send(what if isinstance(what, str) else json.dumps(what))

    @property
    def texts(self) -> list[str]:
        return [text for _, text in list(self.heard)]

    @property
    def data(self) -> list[str]:
        """Everything but bare words."""
        return [text for text in self.texts if text[0] in "[{"]

    def frames(self, type_: str) -> list[dict[str, Any]]:
        """Whole frames of a type, not dumps."""
        found = [json.loads(text) for text in self.texts if text.startswith("{")]
        return [frame for frame in found if frame["event_type"] == type_]

    def waits_to_hear(self, more: int = 1) -> None:
        """Until so many more messages came. Raises `AssertionError`."""
        wanted = len(self.heard) + more
        until(lambda: len(self.heard) >= wanted)

    def catches_up(self) -> None:
        """Until everything that was on its way is here: the answer to a PING comes behind it."""
        answered = self.texts.count("PONG")
        self.say("PING")
        until(lambda: self.texts.count("PONG") > answered)

    def falls_silent(self, for_s: float = 0.3) -> int:
        """Until nothing came for a while; how many messages there are then."""
        began = time.monotonic()
        until(lambda: time.monotonic() - max([began, *(at for at, _ in self.heard[-1:])]) > for_s)
        return len(self.heard)

    def waits_for_the_end(self) -> None:
        self._thread.join(PATIENCE_S)
        assert not self._thread.is_alive()

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self.socket.sock.shutdown(socket.SHUT_RDWR)


def until(found: Any, patience_s: float = PATIENCE_S) -> Any:
    """What `found` finds as soon as it is true. Raises `AssertionError`."""
    end = time.monotonic() + patience_s
    while not (value := found()):
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.01)
    return value


def control(venue: Running) -> dict[str, Any]:
    return requests.get(f"{venue.control_url}/faults", timeout=PATIENCE_S).json()  # type: ignore[no-any-return]


def begin(venue: Running, name: str, **parameters: Any) -> int:
    answer = requests.post(f"{venue.control_url}/faults/{name}", json=parameters, timeout=PATIENCE_S)
    assert answer.status_code == 200, answer.text
    return int(answer.json()["id"])


def end(venue: Running, id_: int) -> None:
    assert requests.delete(f"{venue.control_url}/faults/{id_}", timeout=PATIENCE_S).json() == {"ended": [id_]}


def live_tokens(venue: Running) -> list[str]:
    """Both tokens of every market that trades, pair by pair."""
    return [token for row in walk(venue) if row["enableOrderBook"] and row["active"] for token in tokens(row)]
