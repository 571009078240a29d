"""A local endpoint shaped like a webhook of Slack: it takes messages, asks for patience, breaks, is slow, or is away."""

from __future__ import annotations

import json
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from polymarket_assets.alerting.slack import TIMEOUT_S

OK, LIMITED, BROKEN, SLOW, DOWN = "ok", "429", "500", "slow", "down"
RETRY_AFTER_S = 7
_LOOPBACK = "127.0.0.1"


@dataclass
class Webhook:
    """What arrived, in order; `mode` says how the next ones are answered."""

    mode: str = OK
    arrived: list[dict[str, Any]] = field(default_factory=list)
    asked: int = 0
    port: int = 0
    _server: ThreadingHTTPServer | None = None

    @property
    def url(self) -> str:
        """As `SLACK_WEBHOOK_URL` names it."""
        return f"http://{_LOOPBACK}:{self.port}/services/T000/B000/secret"

    def start(self) -> None:
        """Listen, on the port of before where there was one."""
        self._server = ThreadingHTTPServer((_LOOPBACK, self.port), self._handler())
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        """Nobody answers on the port from here on."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def be(self, mode: str) -> None:
        """Behave like this from here on."""
        if (mode == DOWN) != (self._server is None):
            self.stop() if mode == DOWN else self.start()
        self.mode = mode

    def said(self, since: int = 0) -> list[str]:
        """The titles of what arrived, from a count on."""
        return [str(message["blocks"][0]["text"]["text"]) for message in self.arrived[since:]]

    def _answer(self, body: bytes) -> tuple[int, str, dict[str, str]]:
        self.asked += 1
        message = json.loads(body)
        if self.mode == LIMITED:
            return 429, "rate_limited", {"Retry-After": str(RETRY_AFTER_S)}
        if self.mode == BROKEN:
            return 500, "fatal_error", {}
        assert set(message) <= {"text", "blocks"}
        self.arrived.append(message)
        if self.mode == SLOW:
            time.sleep(TIMEOUT_S + 1)
        return 200, "ok", {}

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        answer = self._answer

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                status, said, headers = answer(self.rfile.read(int(self.headers["Content-Length"])))
                try:
                    self.send_response(status)
                    for name, value in {**headers, "Content-Length": str(len(said))}.items():
                        self.send_header(name, value)
                    self.end_headers()
                    self.wfile.write(said.encode())
                except OSError:
                    return

            def log_message(self, *_: object) -> None:
                """The drill tells."""

        return Handler
