"""Who may ask, what for, and what a browser may do with the answer.

The console listens on the loopback interface, where every page of the web that somebody opens can reach it too: through
a name that was made to lead here. So it answers to its own names only, and nothing of it changes anything.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from ipaddress import ip_address
from urllib.parse import urlsplit

from fastapi import FastAPI, Request, Response
from fastapi.responses import PlainTextResponse

from polymarket_assets.settings import Settings

# Scripts and styles are ours; charts are drawn without evaluating code. Elements of charts carry styles of their own.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
# A query may be long, and no more than this is read of it.
MOST_ASKED_BYTES = 64 * 1024
_HOST = re.compile(r"(?:\[([0-9a-fA-F:.]+)\]|([\w.-]+))(?::\d{1,5})?", re.ASCII)
_LOCAL = frozenset({"127.0.0.1", "localhost", "::1"})


def guard(app: FastAPI, settings: Settings) -> None:
    """Refuse other names and large questions; say what a browser may do."""
    names = _LOCAL | {name for name in (_own(settings.console_host), urlsplit(settings.console_url or "").hostname) if name}  # fmt: skip

    @app.middleware("http")
    async def guarded(request: Request, answer: Callable[[Request], Awaitable[Response]]) -> Response:
        refused = _refused(request, names)
        response = refused if refused is not None else await answer(request)
        response.headers.update(HEADERS)
        if "cache-control" not in response.headers:
            response.headers["Cache-Control"] = "no-store"
        return response


def _asked_under(host: str) -> str:
    """The name in a `Host` header; what is none has none."""
    found = _HOST.fullmatch(host)
    return (found[1] or found[2]).lower() if found else ""


def _own(host: str) -> str:
    """The name of an interface; every interface has none, and a page of the web may ask for it."""
    try:
        return "" if ip_address(host).is_unspecified else host
    except ValueError:
        return host.lower()


def _refused(request: Request, names: frozenset[str]) -> Response | None:
    if _asked_under(request.headers.get("host", "")) not in names:
        return PlainTextResponse("The console does not answer to this name; CONSOLE_URL names the address people open it under.\n", 421)  # fmt: skip
    size = request.headers.get("content-length", "0")
    if not size.isdecimal() or int(size) > MOST_ASKED_BYTES or "transfer-encoding" in request.headers:
        return PlainTextResponse(f"A question has {MOST_ASKED_BYTES:,} bytes at the most.\n", 413)
    return None
