"""The streamer's account of itself over HTTP, on the loopback interface unless it is told another.

It answers GET of five pages, whatever the name it is asked under, and nothing it is asked changes anything.

Pages are made by the loop's own thread, when asked for: an answer proves that it turns. One that does not
within two seconds is critical by itself.
"""

from __future__ import annotations

import json
import queue
import socket
import threading
from collections.abc import Callable
from http import HTTPStatus
from http.client import HTTPException
from typing import TYPE_CHECKING, Any
from urllib.error import HTTPError
from urllib.request import ProxyHandler, build_opener

from polymarket_assets.venue.errors import Refused, Unavailable
from streamer import pages
from streamer.pages import View

if TYPE_CHECKING:
    from http.server import ThreadingHTTPServer

# As the settings have it; they take longer to import than all of the recorder, which must be back at once.
LOOPBACK = "127.0.0.1"
# Asked by people and by a console beside us: an answer that takes longer is none.
ASK_TIMEOUT_S = 5.0
# A question is a line: who takes longer to ask it holds a thread.
QUESTION_WITHIN_S = 5.0
# The loop turns every quarter of a second; a disk that takes nothing holds it up.
TURN_WITHIN_S = 2.0

PAGES: dict[str, Callable[[View], pages.Page | str]] = {
    "/health": pages.health,
    "/critical": pages.critical,
    "/coverage": pages.coverage,
    "/subscriptions": pages.subscriptions,
    "/metrics": pages.metrics,
}


class Desk:
    """Where questions wait for the loop's next turn, and what it last said of its troubles."""

    def __init__(self) -> None:
        self.questions: queue.SimpleQueue[Callable[[View], None]] = queue.SimpleQueue()
        self.trouble: Callable[[], str | None] = lambda: None

    def answer(self, view: Callable[[], View]) -> None:
        """Answer what was asked; the loop's own thread calls this."""
        while not self.questions.empty():
            self.questions.get()(view())


class NotTurning(Unavailable):
    """The loop does not answer."""


def made(path: str, desk: Desk) -> pages.Page | str:
    """The page at a path. Raises `NotTurning`."""
    answer: queue.SimpleQueue[pages.Page | str] = queue.SimpleQueue()
    desk.questions.put(lambda view: answer.put(PAGES[path](view)))
    try:
        return answer.get(timeout=TURN_WITHIN_S)
    except queue.Empty:
        why = desk.trouble() or "the machine is overloaded, or it is only starting"
        raise NotTurning(f"the loop did not turn within {TURN_WITHIN_S:.0f} s: {why}") from None


def serve(port: int, desk: Desk, host: str = LOOPBACK) -> ThreadingHTTPServer:
    """Answer on a port of an interface, in threads of its own. Raises `Refused` when that cannot be had."""
    from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

    class _Handler(BaseHTTPRequestHandler):
        timeout = QUESTION_WITHIN_S

        def do_GET(self) -> None:
            status, page = _answer(self.path.split("?")[0], desk)
            content = (page if isinstance(page, str) else json.dumps(page)).encode()
            self.send_response(status)
            self.send_header("Content-Type", "text/plain; version=0.0.4" if isinstance(page, str) else "application/json")  # fmt: skip
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Questions are no events of note."""

    class _Server(ThreadingHTTPServer):
        # A name leads to the interface of version 4, as it does for who asks it first.
        address_family = socket.AF_INET6 if ":" in host else socket.AF_INET

    try:
        server = _Server((host, port), _Handler)
    except OSError as e:
        raise Refused(
            f"the status port {port} of {host} cannot be used ({e.strerror}): stop what holds it, set STREAM_STATUS_PORT to a free one, or STREAM_STATUS_HOST to an interface of this machine"
        ) from e
    threading.Thread(target=server.serve_forever, name="status", daemon=True).start()
    return server


def _answer(path: str, desk: Desk) -> tuple[HTTPStatus, pages.Page | str]:
    if path not in PAGES:
        return HTTPStatus.NOT_FOUND, {"pages": sorted(PAGES)}
    try:
        page = made(path, desk)
    except NotTurning as e:
        return HTTPStatus.SERVICE_UNAVAILABLE, {"status": "critical", "reasons": [str(e)]}
    wrong = isinstance(page, dict) and page.get("status") == "critical"
    return HTTPStatus.SERVICE_UNAVAILABLE if wrong else HTTPStatus.OK, page


def ask(address: str, path: str = "/health", within_s: float = ASK_TIMEOUT_S) -> str:
    """A page of the streamer at an address (`http://127.0.0.1:8081`), JSON indented. Raises `Unavailable`."""
    try:
        # Streamers are neighbours: a proxy of this machine's is not asked for them.
        with build_opener(ProxyHandler({})).open(f"{address}{path}", timeout=within_s) as answer:
            return _readable(answer.read())
    except HTTPError as e:
        return _readable(e.read())
    except (OSError, HTTPException) as e:
        raise Unavailable(
            f"no streamer answers at {address} ({getattr(e, 'reason', e)}): `python -m streamer run` starts one"
        ) from e


def _readable(content: bytes) -> str:
    try:
        page: Any = json.loads(content)
    except json.JSONDecodeError:
        return content.decode(errors="replace")
    return json.dumps(page, indent=2)
