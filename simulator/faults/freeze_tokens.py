"""Single tokens that fall silent on a socket where the rest goes on."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from simulator.connections import Socket
from simulator.faults.parameters import OfTokens
from simulator.faults.silence import Silence


class Frozen(OfTokens, frozen=True, kw_only=True):
    resubscribing_heals: Annotated[bool, Meta(description="a token that is subscribed to anew speaks again on that socket")] = False  # fmt: skip


class FreezeTokens(Silence[Frozen]):
    """Chosen tokens fall silent, first books included; other tokens, REST and trading go on."""

    name = "freeze_tokens"
    takes = Frozen
    needs_choice = True

    def begin(self) -> None:
        self._healed: set[tuple[int, str]] = set()

    def subscribed(self, socket: Socket, new: list[str]) -> None:
        if self.given.resubscribing_heals:
            self._healed.update((socket.number, token) for token in new)

    def silent(self, socket: Socket, token: str) -> bool:
        return self.chosen(token) and (socket.number, token) not in self._healed
