"""What the running streamer says of itself, over HTTP on the loopback interface: `/health`.

The loop leaves a fresh account a few times a second; answering reads it and touches nothing else. Each page
is a function of that account, by its path.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any
from urllib.request import urlopen

from polymarket_assets.venue.errors import Refused, Unavailable

if TYPE_CHECKING:
    from http.server import ThreadingHTTPServer

    from streamer.keeping import Keeper
    from streamer.loop import Loop
    from streamer.publisher import Publisher

LOOPBACK = "127.0.0.1"
# Asked by people and by a console beside us: an answer that takes longer is none.
ASK_TIMEOUT_S = 5.0

State = Mapping[str, Any]
PAGES: dict[str, Callable[[State], State]] = {"/health": lambda state: state}


def state(
    session_id: str, began_us: int, loop: Loop, keeper: Keeper, publisher: Publisher, trouble: str | None
) -> dict[str, object]:
    """The account of this moment. Belongs to the loop's thread."""
    from streamer.keeping import instant

    connections = [c for c in loop.connections if c.tokens]
    troubles = [text for text in (trouble, keeper.trouble, publisher.trouble) if text]
    return {
        "status": "troubled" if troubles or any(c.socket is None for c in connections) else "listening",
        "trouble": troubles,
        "session": session_id,
        "since": instant(began_us).isoformat(),
        "sockets": {"open": sum(c.socket is not None for c in connections), "wanted": len(connections)},
        "tokens": {
            "subscribed": sum(c.carried for c in connections),
            "wanted": sum(len(c.tokens) for c in connections),
            "without_book": sum(c.without_book for c in connections),
        },
        "markets": {
            "placed": dict(loop.plan.placed) if loop.plan else {},
            "left_out": dict(loop.plan.left_out) if loop.plan else {},
        },
        "frames": dict(keeper.recorder.heard),
        "rows": {"published": publisher.published, "waiting": keeper.recorder.waiting, "segments": publisher.pending},
        "last_data": instant(loop.last_data_us).isoformat() if loop.last_data_us else None,
        "gaps": keeper.gap_count,
        "reconnects": loop.reconnects,
    }  # fmt: skip


def serve(port: int, account: Callable[[], State]) -> ThreadingHTTPServer:
    """Answer on the loopback port, in threads of its own. Raises `Refused` when the port is taken."""
    from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

    class _Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            page = PAGES.get(self.path.split("?")[0])
            content = json.dumps(page(account()) if page else {"pages": sorted(PAGES)}).encode()
            self.send_response(200 if page else 404)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Questions are no events of note."""

    try:
        server = ThreadingHTTPServer((LOOPBACK, port), _Handler)
    except OSError as e:
        raise Refused(
            f"the status port {port} cannot be used ({e.strerror}): stop what holds it, or set STREAM_STATUS_PORT to a free one"
        ) from e
    threading.Thread(target=server.serve_forever, name="status", daemon=True).start()
    return server


def ask(port: int) -> str:
    """What a running streamer says of its health, as JSON text. Raises `Unavailable`."""
    try:
        with urlopen(f"http://{LOOPBACK}:{port}/health", timeout=ASK_TIMEOUT_S) as answer:
            return json.dumps(json.load(answer), indent=2)
    except OSError as e:
        raise Unavailable(
            f"no streamer answers on port {port} ({getattr(e, 'reason', e)}): `python -m streamer run` starts one"
        ) from e
