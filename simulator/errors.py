"""Answers that are not the data: each service's own form."""

from __future__ import annotations

from uuid import uuid4

import msgspec
from aiohttp import web


def answer(value: object, status: int = 200, headers: dict[str, str] | None = None) -> web.Response:
    """JSON in the venue's compact form."""
    body = value if isinstance(value, bytes) else msgspec.json.encode(value)
    return web.Response(body=body, status=status, content_type="application/json", charset="utf-8", headers=headers)  # fmt: skip


class Invalid(Exception):
    """The catalogue does not understand a parameter."""


def catalogue(why: str, status: int = 422) -> web.Response:
    """Of Gamma."""
    kind = {422: "validation error", 404: "not found error"}.get(status, "internal error")
    return answer({"type": kind, "error": why}, status)


def clob(why: str, status: int = 400) -> web.Response:
    """Of the order-book service."""
    return answer({"error": why}, status)


def data(why: str, status: int = 400, *, code: str = "invalid_request", parameter: str | None = None) -> web.Response:  # fmt: skip
    """Of the Data API."""
    trace = uuid4().hex
    said: dict[str, object] = {
        "error": why,
        "code": code,
        "retryable": status in (429, 503),
        "trace_id": trace,
    }
    if parameter:
        said["parameter"] = parameter
    return answer(said, status, {"x-trace-id": trace})
