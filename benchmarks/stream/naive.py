"""`python -m benchmarks.stream.naive`: a recorder as one writes it in an afternoon.

`websocket-client` as it comes, a thread for each socket, `json`, rows as dictionaries, pandas to Parquet every so
many rows. It keeps no journal, no book and no account of what it missed.
"""

from __future__ import annotations

import argparse
import json
import signal
import threading
import time
from pathlib import Path
from typing import Any

import pandas as pd
import websocket

from benchmarks.stream.bare import subscriptions

# A file this often, as the streamer publishes.
ROWS_A_FILE = 200_000


class Recorder:
    """Rows of all sockets, and files of them."""

    def __init__(self, folder: Path) -> None:
        self.count = 0
        self._folder, self._files = folder, 0
        self._rows: list[dict[str, Any]] = []
        self._lock = threading.Lock()

    def listen(self, connected: websocket.WebSocket) -> None:
        """Record a socket until it ends."""
        while True:
            try:
                message = connected.recv()
            except (OSError, websocket.WebSocketException):
                return
            received_at = time.time()
            heard = json.loads(message)
            for told in heard if isinstance(heard, list) else [heard]:
                rows = list(rows_of(told, received_at))
                with self._lock:
                    self._rows += rows
            self.count += 1
            if len(self._rows) >= ROWS_A_FILE:
                self.write()

    def write(self) -> None:
        """Everything so far to a file."""
        with self._lock:
            rows, self._rows = self._rows, []
        if rows:
            self._files += 1
            pd.DataFrame(rows).to_parquet(self._folder / f"{self._files}.parquet")


def rows_of(told: dict[str, Any], received_at: float) -> list[dict[str, Any]]:
    """A row for each change, level or trade of a frame."""
    at = {"received_at": received_at, "market": told["market"], "kind": told["event_type"], "timestamp": told["timestamp"]}  # fmt: skip
    if told["event_type"] == "price_change":
        return [{**at, **change} for change in told["price_changes"]]
    if told["event_type"] == "book":
        return [
            {**at, "asset_id": told["asset_id"], "side": side, **level}
            for side in ("bids", "asks")
            for level in told[side]
        ]
    return [{**at, **told}]


def main() -> None:
    """Listen until SIGTERM, write what is left, say how many messages came."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url")
    parser.add_argument("markets", type=int)
    parser.add_argument("sockets", type=int)
    parser.add_argument("folder", type=Path)
    given = parser.parse_args()
    over = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: over.set())
    recorder = Recorder(given.folder)
    for ids in subscriptions(given.markets, given.sockets):
        connected = websocket.create_connection(given.url)
        for at in range(0, len(ids), 100):
            asked = {"assets_ids": ids[at : at + 100], "type": "market", "custom_feature_enabled": True}
            connected.send(json.dumps(asked if not at else {**asked, "operation": "subscribe"}))
        threading.Thread(target=recorder.listen, args=(connected,), daemon=True).start()
    print("ready", flush=True)
    over.wait()
    recorder.write()
    print(recorder.count, flush=True)


if __name__ == "__main__":
    main()
