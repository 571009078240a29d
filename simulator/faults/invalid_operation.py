"""Requests that the venue does not understand, though they are right."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from simulator.connections import Socket
from simulator.faults.fault import Fault
from simulator.faults.parameters import OfSockets, Share


class Misunderstood(OfSockets, frozen=True, kw_only=True):
    chance: Annotated[Share, Meta(description="the share of requests that it happens to")] = 1.0


class InvalidOperation(Fault[Misunderstood]):
    """Subscribing and unsubscribing is answered with the text INVALID OPERATION, and not done."""

    name = "invalid_operation"
    takes = Misunderstood

    def rejects(self) -> bool:
        return self.dice.random() < self.given.chance

    def tokens_of(self, socket: Socket) -> list[str]:
        """What is subscribed to already goes on."""
        return []
