"""A real HTTP server on a free port that answers what a test tells it to, and remembers what it was asked."""

from __future__ import annotations

import json
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit


@dataclass(frozen=True)
class Asked:
    """A request as it arrived."""

    method: str
    path: str
    params: list[tuple[str, str]]
    headers: dict[str, str]
    body: bytes

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.params if key == name]

    def one(self, name: str) -> str | None:
        return next(iter(self.all(name)), None)


@dataclass(frozen=True)
class Told:
    """An answer. `announced` overrides Content-Length; `before` runs first, `sends` replaces the plain body."""

    status: int = 200
    body: bytes = b"{}"
    content_type: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict)
    announced: int | str | None = None
    before: Callable[[], Any] = lambda: None
    sends: Callable[[Callable[[bytes], Any]], Any] | None = None


def told(value: Any, status: int = 200, **more: Any) -> Told:
    """An answer of JSON."""
    return Told(status, json.dumps(value).encode(), **more)


PAGE = Told(403, b"<html><title>Attention Required!</title></html>", "text/html; charset=UTF-8")

Answering = Callable[[Asked], Told]


@dataclass
class Server:
    """`on` sets what a path answers: a function of the request, or answers in turn of which the last stays."""

    url: str = ""
    asked: list[Asked] = field(default_factory=list)
    _paths: dict[str, Answering] = field(default_factory=dict)

    def on(self, path: str, answer: Answering | Sequence[Told] | Told) -> None:
        if callable(answer):
            self._paths[path] = answer
            return
        left = [answer] if isinstance(answer, Told) else list(answer)
        self._paths[path] = lambda _: left.pop(0) if len(left) > 1 else left[0]

    def answer(self, asked: Asked) -> Told:
        self.asked.append(asked)
        answering = self._paths.get(asked.path)
        return answering(asked) if answering else told({"error": "no such path"}, 404)

    def counts(self) -> dict[str, int]:
        found: dict[str, int] = defaultdict(int)
        for asked in self.asked:
            found[asked.path] += 1
        return dict(found)


@contextmanager
def serving() -> Iterator[Server]:
    """A server for as long as the block runs."""
    server = Server()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def _do(self) -> None:
            url = urlsplit(self.path)
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            params = parse_qsl(url.query, keep_blank_values=True)
            answer = server.answer(Asked(self.command, url.path, params, dict(self.headers.items()), body))
            answer.before()
            size = len(answer.body) if answer.announced is None else answer.announced
            self.send_response(answer.status)
            self.send_header("Content-Type", answer.content_type)
            if answer.sends is None or answer.announced is not None:
                self.send_header("Content-Length", str(size))
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.close_connection = answer.sends is not None or size != len(answer.body)
            self.end_headers()
            try:
                (answer.sends or (lambda send: send(answer.body)))(self.wfile.write)
            except (BrokenPipeError, ConnectionResetError):
                self.close_connection = True  # the client had enough

        do_GET = do_POST = _do  # noqa: N815

        def log_message(self, *_: Any) -> None:
            """Tests read `asked`."""

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    http.daemon_threads = True
    server.url = f"http://127.0.0.1:{http.server_address[1]}"
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        http.shutdown()
        http.server_close()
        thread.join()
