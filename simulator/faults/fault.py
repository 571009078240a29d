"""What a fault is: something that goes wrong with some sockets for a while. The engine, REST and the truth go on.

A fault overrides the hooks it needs; `Board` calls them. Of each message on its way to a socket, faults that are on are asked in the
order of `stage`: first how it reads (`rewrites`), then whether it waits (`holds`), at last whether it is kept from the socket altogether
(`withholds`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

from simulator.chance import dice, digest
from simulator.connections import Message, Socket
from simulator.faults.parameters import OfFrames, OfSockets, OfTokens, Parameters

if TYPE_CHECKING:
    from simulator.sockets import Hub

# What is said comes before how it is written, and that before how often and when it is sent.
CONTENT, FORM, COPIES, TIME = range(4)
# A digest's first bytes as a number below one.
_DRAW_BYTES = 8

P = TypeVar("P", bound=Parameters)
Onward = Callable[["Fault[Any]", Socket, Message], None]


class Fault(Generic[P]):
    """One that was switched on. Its docstring's first line is its documentation."""

    name: ClassVar[str]
    takes: ClassVar[type[Parameters]] = OfSockets
    stage: ClassVar[int] = CONTENT
    # Without a choice of tokens it means nothing.
    needs_choice: ClassVar[bool] = False
    # Done with as soon as it has begun, unless it is told for how long.
    momentary: ClassVar[bool] = False

    def __init__(self, id_: int, given: P, hub: Hub, onward: Onward, seed: int) -> None:
        self.id, self.given, self.hub, self.onward, self._seed = id_, given, hub, onward, seed
        self.dice = dice(seed, "fault", id_)
        self._among: frozenset[int] | None = self._pick()
        self._chosen: dict[str, bool] = {}
        # Everything it concerned so far, by number and by token, and frames kept back and changed.
        self.sockets: set[int] = set()
        self.tokens: set[str] = set()
        self.withheld = self.altered = 0

    @property
    def key(self) -> tuple[int, int]:
        """Its place in the order."""
        return self.stage, self.id

    # --- whom it concerns -----------------------------------------------------------------------------

    def concerns(self, socket: Socket) -> bool:
        """Whether a socket has it."""
        return self._among is None or socket.number in self._among

    def chosen(self, token: str) -> bool:
        """Whether a token is among those chosen."""
        given = self.given
        if not isinstance(given, OfTokens) or not given.chosen:
            return True
        if token not in self._chosen:
            self._chosen[token] = self._choose(given, token)
        return self._chosen[token]

    def speaks(self, message: Message) -> bool:
        """Whether a frame is about a chosen token, and the dice say so too."""
        if not message.is_frame or not any(self.chosen(token) for token in message.tokens):
            return False
        return not isinstance(self.given, OfFrames) or self.dice.random() < self.given.chance

    def tokens_of(self, socket: Socket) -> Iterable[str]:
        """The tokens of a socket that suffer."""
        return [token for token in socket.tokens if self.chosen(token)]

    def note(self, socket: Socket) -> None:
        """Remember whom it concerns."""
        self.sockets.add(socket.number)
        self.tokens.update(self.tokens_of(socket))

    def _pick(self) -> frozenset[int] | None:
        """The numbers of the sockets that have it; None for all, also those to come."""
        given = self.given
        if not isinstance(given, OfSockets) or given.sockets == "all":
            return None
        if isinstance(given.sockets, list):
            return frozenset(given.sockets)
        open_ = sorted(socket.number for socket in self.hub.sockets)
        if isinstance(given.sockets, str):
            return frozenset(open_)
        count = given.sockets if isinstance(given.sockets, int) else round(given.sockets * len(open_))
        return frozenset(self.dice.sample(open_, min(count, len(open_))))

    def _choose(self, given: OfTokens, token: str) -> bool:
        if token in given.token_ids:
            return True
        condition = self.hub.books.condition(token)
        # The newer generation's ids are shorter in the catalogue.
        if condition is None or condition in given.condition_ids or condition[:64] in given.condition_ids:
            return condition is not None
        drawn = digest(self._seed, "fault", self.id, condition, size=_DRAW_BYTES)
        return given.share is not None and int.from_bytes(drawn, "big") < given.share * 256**_DRAW_BYTES

    # --- hooks ----------------------------------------------------------------------------------------

    def begin(self) -> None:
        """It is on."""

    def end(self) -> None:
        """It is off: what it kept back goes out."""

    def tells(self) -> dict[str, object]:
        """What the line of its end says beside what all say."""
        return {}

    def opened(self, socket: Socket) -> None:
        """A socket that it concerns opened."""

    def subscribed(self, socket: Socket, new: list[str]) -> None:
        """A socket that it concerns changed what it listens to."""

    def turns_away(self) -> int | None:
        """The HTTP status that answers a handshake; None when it succeeds."""
        return None

    def rejects(self) -> bool:
        """Whether a request to subscribe or unsubscribe is not understood."""
        return False

    def rewrites(self, socket: Socket, message: Message) -> Iterable[Message]:
        """What is sent in the place of a message."""
        return (message,)

    def holds(self, socket: Socket, message: Message) -> bool:
        """Whether it takes the message, to send it `onward` later."""
        return False

    def withholds(self, socket: Socket, message: Message) -> bool:
        """Whether the message never reaches the socket."""
        return False

    def altered_to(self, message: Message, text: str) -> Message:
        """The message with another text."""
        return replace(message, text=text, faults=(*message.faults, self.name))
