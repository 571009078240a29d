"""A book that the stream tells wrongly without saying so."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

from msgspec import Meta

from simulator.connections import Message, Socket
from simulator.faults.fault import Fault
from simulator.faults.parameters import OfTokens


class Wrong(OfTokens, frozen=True, kw_only=True):
    changes: Annotated[int, Meta(ge=1, description="how many changes of each market are dropped on each socket")] = 1  # fmt: skip


class WrongBook(Fault[Wrong]):
    """Changes of a book are dropped, later ones go on with true hashes; without a choice, of the first market that moves."""

    name = "wrong_book"
    takes = Wrong

    def begin(self) -> None:
        self._dropped: dict[tuple[int, str], int] = {}
        self._first: str | None = None

    def tokens_of(self, socket: Socket) -> Iterable[str]:
        """Nothing is wrong yet where nothing was chosen."""
        return super().tokens_of(socket) if self.given.chosen else []

    def withholds(self, socket: Socket, message: Message) -> bool:
        if message.type != "price_change" or not self._of_it(message):
            return False
        place = (socket.number, message.condition_id)
        if self._dropped.get(place, 0) >= self.given.changes:
            return False
        self._dropped[place] = self._dropped.get(place, 0) + 1
        self.tokens.update(message.tokens)
        return True

    def _of_it(self, message: Message) -> bool:
        if self.given.chosen:
            return self.speaks(message)
        self._first = self._first or message.condition_id
        return message.condition_id == self._first
