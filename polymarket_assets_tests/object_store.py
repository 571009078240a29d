"""A real S3 API server (`moto`) on a real socket of this process, with a hand on its door: it can be slow, refuse, and be gone."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from moto.server import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

BUCKET = "lake"
_HOST = "127.0.0.1"


@dataclass(frozen=True)
class Request:
    """What was asked: method, bucket and key, and the query."""

    method: str
    path: str
    query: str


# The status line and the code of an error to answer with; None: the store answers itself.
Fault = Callable[[Request], tuple[str, str] | None]


class _Handler(WSGIRequestHandler):
    # Connections are kept, as stores keep them.
    protocol_version = "HTTP/1.1"

    def log_request(self, *_: object) -> None:
        pass


@dataclass
class ObjectServer:
    """The server; what it holds outlives `stop` and `start`."""

    asked: list[Request] = field(default_factory=list)
    fault: Fault | None = None
    wait_s: float = 0.0
    port: int = 0
    _server: BaseWSGIServer | None = None

    def __post_init__(self) -> None:
        self._moto = DomainDispatcherApplication(create_backend_app)

    @property
    def is_up(self) -> bool:
        """Whether it listens."""
        return self._server is not None

    @property
    def environment(self) -> Mapping[str, str]:
        """What a process needs to know of it."""
        return {"AWS_ENDPOINT_URL": f"http://{_HOST}:{self.port}", "AWS_ACCESS_KEY_ID": "a-key", "AWS_SECRET_ACCESS_KEY": "a-secret",
                "AWS_DEFAULT_REGION": "us-east-1", "AWS_EC2_METADATA_DISABLED": "true", "AWS_ALLOW_HTTP": "true"}  # fmt: skip

    def start(self) -> None:
        """Listen, on the same port every time."""
        self._server = make_server(_HOST, self.port, self._answer, threaded=True, request_handler=_Handler)
        self.port = self._server.port
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def stop(self) -> None:
        """Be gone: connections are refused."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def bucket(self, name: str, method: str = "PUT") -> None:
        """Make a bucket, or with DELETE remove it."""
        import requests

        requests.request(
            method, f"{self.environment['AWS_ENDPOINT_URL']}/{name}", timeout=5
        ).raise_for_status()

    def put(self, keys: Iterable[str], content: bytes = b"x") -> None:
        """Files that are there already, in the bucket `BUCKET`."""
        from moto.core import DEFAULT_ACCOUNT_ID
        from moto.s3.models import s3_backends

        for key in keys:
            s3_backends[DEFAULT_ACCOUNT_ID]["aws"].put_object(BUCKET, key, content)

    @contextmanager
    def failing(self, fault: Fault) -> Iterator[None]:
        """Answer with errors where `fault` says so."""
        self.fault = fault
        try:
            yield
        finally:
            self.fault = None

    def _answer(self, environ: dict[str, Any], start_response: Any) -> Any:
        request = Request(environ["REQUEST_METHOD"], environ["PATH_INFO"], environ["QUERY_STRING"])
        self.asked.append(request)
        time.sleep(self.wait_s)
        error = self.fault(request) if self.fault else None
        if error is None:
            return self._moto(environ, start_response)
        environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        status, code = error
        body = f"<Error><Code>{code}</Code><Message>no</Message></Error>".encode()
        start_response(status, [("Content-Type", "application/xml"), ("Content-Length", str(len(body)))])
        return [body]


@contextmanager
def served() -> Iterator[ObjectServer]:
    """A server with an empty bucket."""
    server = ObjectServer()
    server.start()
    try:
        server.bucket(BUCKET)
        yield server
    finally:
        server.stop()
