"""A venue whose clock is wrong."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Annotated

from msgspec import Meta

from simulator.connections import Message, Socket
from simulator.faults.fault import CONTENT, Fault
from simulator.faults.parameters import OfFrames

_STAMP = re.compile(r'(?<="timestamp":")\d+(?=")')


class Skew(OfFrames, frozen=True, kw_only=True):
    skew_s: Annotated[float, Meta(description="so far ahead; negative: behind")] = 60.0


class ClockSkew(Fault[Skew]):
    """Timestamps of frames are off by so many seconds; hashes are those of books of such timestamps."""

    name = "clock_skew"
    takes = Skew
    stage = CONTENT

    def rewrites(self, socket: Socket, message: Message) -> Iterable[Message]:
        if not self.speaks(message):
            return (message,)
        text = _STAMP.sub(lambda stamp: str(self._off(int(stamp[0]))), message.text)
        # A frame is told while the books it tells of are still the present ones.
        for token in message.tokens:
            if (book := self.hub.books.book(token)) is not None:
                text = text.replace(book.hash, book.hash_at(self._off(book.at_ms)))
        return (self.altered_to(message, text),)

    def _off(self, at_ms: int) -> int:
        return at_ms + round(self.given.skew_s * 1000)
