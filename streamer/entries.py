"""What a journal holds: frames as they came, and what is needed to read them again on their own.

A segment opens with a `State`, so that each can be turned into rows without any other. Instants are
microseconds since the epoch, UTC (`_us`).
"""

from __future__ import annotations

import struct

import msgspec

_FRAME = struct.Struct("<cqh")
_FRAME_TAG = b"F"


class Listed(msgspec.Struct, frozen=True, array_like=True):
    """A market whose tokens are subscribed: enough to give its frames their identity."""

    market_id: str
    condition_id: str
    token_ids: tuple[str, ...]
    # Facts under the venue's hash of its book, where `markets` knows them.
    min_size_e6: int | None = None
    neg_risk: bool | None = None


class Heard(msgspec.Struct, frozen=True):
    """One socket message: when it reached us, on which connection, and its bytes."""

    at_us: int
    connection: int
    payload: bytes


class State(msgspec.Struct, frozen=True, tag="state"):
    """Where the session stood when a segment began."""

    at_us: int
    session_id: str
    # The next sequence number, whole books counted so far, and the book each market stands on.
    sequence: int
    books: int
    epochs: dict[str, int]
    markets: tuple[Listed, ...]


class Markets(msgspec.Struct, frozen=True, tag="markets"):
    """Markets that are about to be subscribed."""

    listed: tuple[Listed, ...]


class Interrupted(msgspec.Struct, frozen=True, tag="interrupted"):
    """The socket of these markets is over: what comes next does not follow what came before."""

    market_ids: tuple[str, ...]


class Gap(msgspec.Struct, frozen=True, tag="gap"):
    """An interval in which we were deaf, on a connection (None: all), for a market (None: all of it)."""

    gap_id: str
    from_us: int
    to_us: int
    cause: str
    connection: int | None = None
    market_id: str | None = None


class Tick(msgspec.Struct, frozen=True, tag="tick"):
    """We were alive, and had heard everything up to `good_us`: a crash makes a gap from there."""

    at_us: int
    good_us: int


class Stop(msgspec.Struct, frozen=True, tag="stop"):
    """The session ended on purpose."""

    at_us: int


Control = State | Markets | Interrupted | Gap | Tick | Stop
Entry = Heard | Control

_encoder = msgspec.msgpack.Encoder()
_decoder: msgspec.msgpack.Decoder[Control] = msgspec.msgpack.Decoder(Control)


def encode(entry: Entry) -> bytes:
    """An entry as the journal keeps it."""
    if isinstance(entry, Heard):
        return _FRAME.pack(_FRAME_TAG, entry.at_us, entry.connection) + entry.payload
    return _encoder.encode(entry)


def decode(content: bytes) -> Entry:
    """The entry that `encode` was given. Control entries are maps, whose first byte is never the frames' tag."""
    if content[:1] == _FRAME_TAG:
        _, at_us, connection = _FRAME.unpack_from(content)
        return Heard(at_us, connection, content[_FRAME.size :])
    return _decoder.decode(content)
