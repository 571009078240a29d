"""The first message of the market socket: does a subscription bring books?"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence

import websocket

from polymarket_assets.venue import frames
from polymarket_assets.venue.errors import Refused, Unavailable, Unreachable
from polymarket_assets.venue.http import USER_AGENT
from polymarket_assets.venue.records import Book, BookFrame

CONNECT_S = 3.0
# The venue sends the dump at once; a market socket silent for this long is frozen.
FIRST_BOOK_S = 5.0


def first_books(url: str, token_ids: Sequence[str]) -> list[Book]:
    """The books of the first message that holds any.

    Raises:
        Unavailable: no connection, or no book in time.
        Refused: the address is none.
        MalformedPayload: a message could not be read.
    """
    try:
        socket = websocket.create_connection(url, timeout=CONNECT_S, header=[f"User-Agent: {USER_AGENT}"])
    except ValueError as e:
        raise Refused(f"the socket cannot be opened at {url!r}: {e}") from e
    except (OSError, websocket.WebSocketException) as e:
        raise Unreachable(f"the socket did not open at {url} ({type(e).__name__})") from e
    try:
        subscribed = {"assets_ids": list(token_ids), "type": "market", "custom_feature_enabled": True}
        socket.send(json.dumps(subscribed))
        return _books(socket)
    except (OSError, websocket.WebSocketException) as e:
        raise Unavailable(f"no book came over the socket at {url} ({type(e).__name__})") from e
    finally:
        socket.shutdown()  # type: ignore[no-untyped-call]  # a polite close would wait seconds for an answer


def _books(socket: websocket.WebSocket) -> list[Book]:
    until = time.monotonic() + FIRST_BOOK_S
    while (left := until - time.monotonic()) > 0:
        socket.settimeout(left)
        found = [frame.book for frame in frames.parse(socket.recv()) if isinstance(frame, BookFrame)]
        if found:
            return found
    raise Unavailable(f"no book came over the socket within {FIRST_BOOK_S:.0f} s")
