"""What a service answered: its body within bounds, its refusals as errors that answer "again?", its JSON decoded."""

from __future__ import annotations

import time
from collections.abc import Callable, Container
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Protocol, TypeVar

import msgspec
import requests

from polymarket_assets.masking import masked
from polymarket_assets.venue.density import require_sparse
from polymarket_assets.venue.errors import Gone, MalformedPayload, Refused, TooLarge, Unavailable, printable

Wire_co = TypeVar("Wire_co", covariant=True)
Wire = TypeVar("Wire")


class Form(Protocol[Wire_co]):
    """What makes a value of a body: a `msgspec` decoder, or `Words`."""

    def decode(self, content: bytes, /) -> Wire_co: ...


class Words:
    """A body of plain text, such as `OK`."""

    def decode(self, content: bytes, /) -> str:
        return content.decode().strip()


# Ten times the largest page of the catalogue; books come five hundred at a time, of up to 60 kB.
CAP_BYTES = 10_000_000
BOOKS_CAP_BYTES = 32_000_000
# A body that drips in more slowly than this is as good as none: every slot that waits for it is late.
BODY_WITHIN_S = 60.0
# How much of a refusal is kept, how much of it told, and how much of the address it came from.
SAID_CHARACTERS, TOLD_CHARACTERS, ADDRESS_CHARACTERS = 4_000, 300, 200

_CHUNK_BYTES = 65_536
_WAIT_AND_REPEAT = frozenset({408, 425, 429})
_TRUNCATED = "Input data was truncated"


def body(response: requests.Response, cap: int, within_s: float) -> tuple[bytes, int]:
    """The decompressed body and the bytes that came over the wire, both within `cap`; it has `within_s`, or `BODY_WITHIN_S` if that is shorter.

    Raises:
        TooLarge: it is not.
        Unavailable: it drips.
        urllib3.exceptions.HTTPError: it broke off.
    """
    within_s = min(within_s, BODY_WITHIN_S)
    until = time.monotonic() + within_s
    announced = response.headers.get("Content-Length", "")
    # Not `int`, which refuses thousands of digits in words of its own: so many are infinity.
    _within(float(announced) if announced.isdecimal() else 0, cap, response)
    chunks, size = [], 0
    # Not `iter_content`: it returns when a chunk is full, however long that takes, and loses count of chunked bodies.
    while chunk := response.raw.read1(_CHUNK_BYTES, decode_content=True):
        chunks.append(chunk)
        size += len(chunk)
        _within(max(size, response.raw.tell()), cap, response)
        if time.monotonic() > until:
            raise Unavailable(f"{address(response)} took more than {within_s:.0f} s to answer")
    return b"".join(chunks), response.raw.tell()


def address(response: requests.Response) -> str:
    """Where an answer came from, cut: a hundred ids make a line nobody reads."""
    return printable(masked(response.url), ADDRESS_CHARACTERS)


def _within(size: float, cap: int, response: requests.Response) -> None:
    if size > cap:
        raise TooLarge(
            f"{address(response)} answered more than {cap / 1e6:.0f} MB", status=response.status_code
        )


def check(
    response: requests.Response, content: bytes, gone: Container[int], clock: Callable[[], datetime]
) -> None:
    """Return if the answer is one.

    Raises:
        Unavailable: worth another attempt, after what the service asked for.
        Gone, TooLarge, Refused: it is not.
        MalformedPayload: a page of the edge where JSON was agreed.
    """
    status, said = response.status_code, _said(response, content)
    told = f"{response.request.method} {address(response)} was answered {status}{said and f': {printable(said, TOLD_CHARACTERS)}'}"
    if status in _WAIT_AND_REPEAT or status >= 500:
        raise Unavailable(told, retry_after_s=retry_after_s(response.headers.get("Retry-After"), clock()))
    if status in gone:
        raise Gone(told, status=status, said=said)
    if status == 413:
        raise TooLarge(told, status=status, said=said)
    if not 200 <= status < 300:
        raise Refused(told + _advice(response), status=status, said=said)
    if _is_page(response):
        raise MalformedPayload(
            f"answer of {address(response)}", content.decode(errors="replace"), "a web page"
        )


def _is_page(response: requests.Response) -> bool:
    return "html" in response.headers.get("Content-Type", "").lower()


def _said(response: requests.Response, content: bytes) -> str:
    """The words of a refusal; a web page has none worth telling."""
    if response.ok:
        return ""
    return "a web page" if _is_page(response) else content[:SAID_CHARACTERS].decode(errors="replace").strip()


def _advice(response: requests.Response) -> str:
    if response.is_redirect:
        return f" (to {printable(response.headers.get('Location', 'nowhere'), ADDRESS_CHARACTERS)}: check the address in the settings)"
    if _is_page(response) and response.status_code == 403:
        return " (the edge of the venue blocks this machine: wait, or ask from elsewhere)"
    return ""


def retry_after_s(header: str | None, now: datetime) -> float | None:
    """Seconds that a `Retry-After` asks for: a number, or the date until which to wait; None for neither, or no date of ours."""
    if not header:
        return None
    if header.isascii() and header.isdecimal():
        return float(header[:9])
    try:
        until = parsedate_to_datetime(header)
        until = until.replace(tzinfo=UTC) if until.tzinfo is None else until
        return max(0.0, (until - now).total_seconds())
    except (ValueError, OverflowError):
        return None


def decoded(form: Form[Wire], content: bytes, what: str) -> Wire:
    """The body in its wire form.

    Raises:
        Unavailable: it broke off before its end.
        MalformedPayload: it has another form.
    """
    try:
        require_sparse(content)
        return form.decode(content)
    except (msgspec.MsgspecError, ValueError, RecursionError) as e:
        if str(e) == _TRUNCATED:
            raise Unavailable(f"the answer of {what} breaks off after {len(content)} bytes") from e
        raise MalformedPayload(f"answer of {what}", content.decode(errors="replace"), str(e)) from e
