"""Which markets froze on which sockets, for as long as that matters."""

from __future__ import annotations

from dataclasses import dataclass, field

# A market that froze this long ago may come back to the socket: the venue restarts, servers change.
REMEMBERED_US = 10 * 60 * 1_000_000
# Once may be an accident of the subscription; a second time it is the socket.
TIMES_OF_A_SOCKET = 2


@dataclass
class _Frozen:
    """How often a market froze on a socket, and when last."""

    times: int = 0
    at_us: int = 0


@dataclass
class Freezes:
    """Counts by market and socket. Belongs to the loop's thread."""

    _by_market: dict[str, dict[int, _Frozen]] = field(default_factory=dict)

    def add(self, market_id: str, socket: int, at_us: int, *, moves: bool = False) -> int:
        """Count a freeze, one that `moves` the market at once as the last it gets; returns how often it froze there lately."""
        held = self._by_market.setdefault(market_id, {}).setdefault(socket, _Frozen())
        fresh = at_us - held.at_us < REMEMBERED_US
        held.times = max((held.times if fresh else 0) + 1, TIMES_OF_A_SOCKET if moves else 0)
        held.at_us = at_us
        return held.times

    def sockets(self, now_us: int) -> dict[str, set[int]]:
        """The sockets on which each market must not be; what is long ago is forgotten."""
        for market_id, by_socket in list(self._by_market.items()):
            kept = {n: held for n, held in by_socket.items() if now_us - held.at_us < REMEMBERED_US}
            self._by_market[market_id] = kept
            if not kept:
                del self._by_market[market_id]
        found = {id_: {n for n, held in by.items() if held.times >= TIMES_OF_A_SOCKET} for id_, by in self._by_market.items()}  # fmt: skip
        return {market_id: numbers for market_id, numbers in found.items() if numbers}
