"""Frames that end too soon."""

from __future__ import annotations

from collections.abc import Iterable

from simulator.connections import Message, Socket
from simulator.faults.fault import COPIES, Fault
from simulator.faults.parameters import OfFrames

# So many characters at the end are never left whole: a line feed and a bracket.
LAST_WORDS = 2


class TornJson(Fault[OfFrames]):
    """Frames are cut somewhere in the middle: whole WebSocket frames of broken JSON."""

    name = "torn_json"
    takes = OfFrames
    stage = COPIES

    def rewrites(self, socket: Socket, message: Message) -> Iterable[Message]:
        if not self.speaks(message):
            return (message,)
        torn = self.altered_to(message, message.text[: self.dice.randint(1, len(message.text) - LAST_WORDS)])
        if torn.done:
            # Whoever gets half of a trade did not get the trade.
            torn.done(self.name)
            torn.done = None
        return (torn,)
