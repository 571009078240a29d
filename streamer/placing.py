"""Which market is listened to on which socket. Pure: the same wishes and places give the same plan.

A market stays where it is, unless it froze there; new ones go where their tier is thinnest, so that losing one socket never takes
a whole tier. All tokens of a market share a socket, since nothing orders two sockets (PROTOCOL 8.4).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from streamer.entries import Listed
from streamer.universe import Wanted

# Every market of the venue has two outcomes; anything else cannot be recorded as a book and its mirror.
TOKENS_OF_A_MARKET = 2
# With fewer than this, one loss would take everything.
LEAST_SOCKETS = 2


@dataclass(frozen=True)
class Plan:
    """What each socket should carry, and what did not fit."""

    sockets: tuple[tuple[Listed, ...], ...]
    # Markets by tier: subscribed, and left out for want of room.
    placed: Mapping[str, int]
    left_out: Mapping[str, int]
    # The tier of every market that should be heard, placed or not.
    tiers: Mapping[str, str] = field(default_factory=dict)

    @property
    def summary(self) -> str:
        """One line for people."""
        tokens = sum(len(market.token_ids) for carried in self.sockets for market in carried)
        tiers = ", ".join(
            f"{self.placed[tier]} of {tier.upper()}" for tier in sorted(self.placed, reverse=True)
        )
        missing = ", ".join(
            f"{self.left_out[tier]} of {tier.upper()}" for tier in sorted(self.left_out, reverse=True)
        )
        said = f"listening to {sum(self.placed.values())} markets ({tiers or 'none is near its end'}), {tokens} tokens on {len(self.sockets)} sockets"
        return f"{said}; no room for {missing}" if missing else said

    @property
    def places(self) -> dict[str, int]:
        """The socket of each market."""
        return {market.market_id: number for number, carried in enumerate(self.sockets) for market in carried}


@dataclass
class _Socket:
    room: int
    markets: list[Listed] = field(default_factory=list)
    tiers: Counter[str] = field(default_factory=Counter)

    def takes(self, market: Wanted) -> bool:
        return len(market.listed.token_ids) <= self.room

    def put(self, market: Wanted) -> None:
        self.room -= len(market.listed.token_ids)
        self.markets.append(market.listed)
        self.tiers[market.tier] += 1


def place(
    wanted: Sequence[Wanted],
    places: Mapping[str, int],
    *,
    tokens_each: int,
    most_sockets: int,
    frozen_on: Mapping[str, Collection[int]] = MappingProxyType({}),
) -> Plan:
    """Place the wanted markets, the most urgent first, on at most `most_sockets` of `tokens_each` tokens.

    `frozen_on`: sockets on which a market froze; it goes elsewhere while there is an elsewhere.
    """
    served, left_out = _served(wanted, tokens_each, most_sockets)
    needed = _needed(served, tokens_each, most_sockets)
    stays = {id_: n for id_, n in places.items() if n not in frozen_on.get(id_, ())}
    held = [stays[market.listed.market_id] + 1 for market in served if market.listed.market_id in stays]
    sockets = [_Socket(tokens_each) for _ in range(max([needed, *held]))]
    for market in served:
        if market.listed.market_id in stays:
            sockets[stays[market.listed.market_id]].put(market)
    for market in served:
        market_id = market.listed.market_id
        if market_id not in stays:
            _elsewhere(sockets, needed, most_sockets, tokens_each, market, frozen_on.get(market_id, ())).put(
                market
            )
    placed = Counter(market.tier for market in wanted) - Counter(market.tier for market in left_out)
    carried = tuple(tuple(socket.markets) for socket in sockets)
    tiers = {market.listed.market_id: market.tier for market in wanted}
    return Plan(carried, placed, Counter(market.tier for market in left_out), tiers)


def _elsewhere(
    sockets: list[_Socket], needed: int, most: int, tokens_each: int, market: Wanted, frozen: Collection[int]
) -> _Socket:
    """A socket on which the market did not freeze: one there is, else one more; where neither can be, any."""
    if not frozen:
        return _thinnest(sockets[:needed], market)
    others = [socket for n, socket in enumerate(sockets) if n not in frozen and socket.takes(market)]
    if not others and len(sockets) < most:
        sockets.append(_Socket(tokens_each))
        others = sockets[-1:]
    return _thinnest(others or sockets[:needed], market)


def _thinnest(sockets: Sequence[_Socket], market: Wanted) -> _Socket:
    """The socket with the fewest markets of this one's tier; sockets beyond those needed get no more and run dry."""
    free = [socket for socket in sockets if socket.takes(market)]
    return min(free, key=lambda socket: (socket.tiers[market.tier], -socket.room))


def _served(
    wanted: Iterable[Wanted], tokens_each: int, most_sockets: int
) -> tuple[list[Wanted], list[Wanted]]:
    """Those that there is room for, in order of urgency, and the others."""
    served: list[Wanted] = []
    left_out: list[Wanted] = []
    room = tokens_each // TOKENS_OF_A_MARKET * most_sockets
    for market in wanted:
        fits = len(served) < room and len(market.listed.token_ids) == TOKENS_OF_A_MARKET
        (served if fits else left_out).append(market)
    return served, left_out


def _needed(served: Sequence[Wanted], tokens_each: int, most: int) -> int:
    """As many sockets as the markets fill, two at least."""
    filled = -(-len(served) // (tokens_each // TOKENS_OF_A_MARKET))
    return min(most, len(served), max(LEAST_SOCKETS, filled))
