"""A market whose book moves on its grid, in the true forms of the market socket (PROTOCOL 8.3) with true hashes (8.6).

Prices are thousandths of a dollar, shares hundredths. A level is a stack of orders, so totals return to what they
were when an order goes. Every batch of one instant carries one hash: that of the book after all of it.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from hashlib import sha1, sha256
from random import Random
from typing import NamedTuple

from benchmarks.stream.wire import frame

ONE = 1000
MIN_SIZE = "5"
# A side is filled up to this many levels; a recorded one of a five-minute market holds 48 and 49.
LEVELS = 48
# Books begin no nearer to 0 or 1 than this: both sides need levels.
MARGIN = 150
# Orders that go, of those that come or go behind the best price; as many orders leave by being traded.
CANCELLED = 0.45
# People type round numbers; programs do not.
ROUND_SHARES = (500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000, 100_000)

_PRICES = tuple(f"{at / ONE:.3f}".rstrip("0").rstrip(".") for at in range(ONE + 1))
_FIRST_ID = 10**76


class Said(NamedTuple):
    """Frames of one market that belong together, ready for the wire, and what a recorder must make of them."""

    market: int
    payload: bytes
    messages: int
    # Levels of the canonical token, by `price_change` and by whole book.
    changes: int = 0
    books: int = 0
    levels: int = 0
    trades: int = 0


def condition(number: int) -> str:
    """The condition id of a market."""
    return "0x" + sha256(b"market %d" % number).hexdigest()


def tokens(number: int) -> tuple[str, str]:
    """The token ids of a market, 77 digits each."""
    first, second = (int.from_bytes(sha256(b"token %d %d" % (number, n)).digest()) for n in (0, 1))
    return str(_FIRST_ID + first % (9 * _FIRST_ID)), str(_FIRST_ID + second % (9 * _FIRST_ID))


def shares(hundredths: int) -> str:
    """`918.34`, `270`: no trailing zeros."""
    whole, part = divmod(hundredths, 100)
    return f"{whole}.{part:02d}".rstrip("0") if part else str(whole)


class Side:
    """One side of the canonical book and its mirror; the best level stands last, as on the wire."""

    def __init__(self, is_bid: bool) -> None:
        self.sign = 1 if is_bid else -1
        self.keys: list[int] = []
        # The level of each key, as JSON, in the terms of either token.
        self.own: list[str] = []
        self.mirrored: list[str] = []
        self._orders: dict[int, list[int]] = {}

    @property
    def best(self) -> int:
        return self.sign * self.keys[-1]

    def add(self, price: int, order: int) -> int:
        """Put an order at a price; returns the level's new total."""
        orders = self._orders.setdefault(price, [])
        orders.append(order)
        return self._set(price, sum(orders))

    def cancel(self, price: int) -> int:
        """Take the last order at a price away."""
        orders = self._orders[price]
        orders.pop()
        if not orders:
            del self._orders[price]
        return self._set(price, sum(orders))

    def _set(self, price: int, total: int) -> int:
        key = self.sign * price
        at = bisect_left(self.keys, key)
        present = at < len(self.keys) and self.keys[at] == key
        if not total:
            del self.keys[at], self.own[at], self.mirrored[at]
            return 0
        size = shares(total)
        own, mirrored = f'{{"price":"{_PRICES[price]}","size":"{size}"}}', f'{{"price":"{_PRICES[ONE - price]}","size":"{size}"}}'  # fmt: skip
        if present:
            self.own[at], self.mirrored[at] = own, mirrored
        else:
            self.keys.insert(at, key)
            self.own.insert(at, own)
            self.mirrored.insert(at, mirrored)
        return total


class Market:
    """One market's book from its first state on; `dice` alone decides how it moves."""

    def __init__(self, number: int, at_ms: int, dice: Random) -> None:
        self.number, self._dice = number, dice
        self.condition, self.tokens = condition(number), tokens(number)
        self.tick = 10 if number % 2 else 1
        self._tick_text = _PRICES[self.tick]
        self.bids, self.asks = Side(True), Side(False)
        self._last = ""
        self._at_ms = at_ms
        self._heads = [f'{{"market":"{self.condition}","asset_id":"{token}","timestamp":"' for token in self.tokens]  # fmt: skip
        self._change_head = f'{{"market":"{self.condition}", "price_changes":['
        self._entries = [f'{{"asset_id":"{token}", "price":"' for token in self.tokens]
        mid = dice.randrange(MARGIN // self.tick, (ONE - MARGIN) // self.tick) * self.tick
        for price in range(mid, 0, -self.tick)[:LEVELS]:
            self.bids.add(price, self._order())
        for price in range(mid + self.tick, ONE, self.tick)[:LEVELS]:
            self.asks.add(price, self._order())

    def dumps(self) -> tuple[str, str]:
        """The state as the first books of a subscription, by token."""
        hashes = self._hashes()
        return tuple(  # type: ignore[return-value]
            f'{self._heads[n]}{self._at_ms}","hash":"{hashes[n]}","bids":{_compact(bids)},"asks":{_compact(asks)},'
            f'"tick_size":"{self._tick_text}","event_type":"book","last_trade_price":"{self._last}"}}'
            for n, (bids, asks) in enumerate(self._levels())
        )

    def reopened(self) -> Said:
        """The state as live books of both tokens."""
        live = [frame(text) for text in self._live()]
        return Said(self.number, b"".join(live), 2, books=2, levels=len(self.bids.keys) + len(self.asks.keys))

    def moved(self, at_ms: int, *, tell_best: bool) -> Said:
        """A batch of changes at one instant; one that moves the best prices stands alone, with `best_bid_ask` before it if asked."""
        self._advance(at_ms)
        before = self._best()
        if tell_best or self._dice.random() < 0.1:
            entries = [self._change_best()]
        else:
            entries = [self._change_behind() for _ in range(1 + int(self._dice.expovariate(0.5)))]
        told = [] if self._best() == before or not tell_best else self._told_best()
        hashes = self._hashes()
        payload = b"".join([*map(frame, told), *(frame(self._changed(*entry, hashes)) for entry in entries)])
        return Said(self.number, payload, len(entries) + len(told), changes=len(entries))

    def traded(self, at_ms: int, transaction: int, *, told: bool) -> Said:
        """A trade at the best price: both live books (the second token's first), then the trade itself where it is told."""
        self._advance(at_ms)
        buys = self._dice.random() < 0.5
        side = self.asks if buys else self.bids
        price = side.best
        self._last = f"{price / ONE:.3f}"
        side.cancel(price)
        self._refill()
        books = [frame(text) for text in reversed(self._live())]
        tells = [frame(self._trade(buys, price, transaction))] if told else []
        levels = len(self.bids.keys) + len(self.asks.keys)
        return Said(self.number, b"".join(books + tells), 2 + len(tells), books=2, levels=levels, trades=len(tells))  # fmt: skip

    def _advance(self, at_ms: int) -> None:
        self._at_ms = max(at_ms, self._at_ms + 1)

    def _order(self) -> int:
        if self._dice.random() < 0.4:
            return self._dice.choice(ROUND_SHARES)
        return 500 + int(self._dice.lognormvariate(9.5, 1.2))

    def _change_best(self) -> tuple[bool, int, int]:
        """An order inside the spread where there is room, else the best level goes."""
        is_bid = self._dice.random() < 0.5
        side, other = (self.bids, self.asks) if is_bid else (self.asks, self.bids)
        inside = side.best + side.sign * self.tick
        if inside != other.best:
            return is_bid, inside, side.add(inside, self._order())
        price, total = side.best, side.cancel(side.best)
        if len(side.keys) < 5:
            return is_bid, price, side.add(price, self._order())
        return is_bid, price, total

    def _change_behind(self) -> tuple[bool, int, int]:
        """An order comes or goes behind the best price, mostly near it."""
        is_bid = self._dice.random() < 0.5
        side = self.bids if is_bid else self.asks
        depth = 1 + int(self._dice.expovariate(0.15))
        if self._dice.random() < CANCELLED and depth < len(side.keys):
            price = side.sign * side.keys[-1 - depth]
            return is_bid, price, side.cancel(price)
        price = min(max(side.best - side.sign * depth * self.tick, self.tick), ONE - self.tick)
        if price == side.best:
            price = side.sign * side.keys[0]
        return is_bid, price, side.add(price, self._order())

    def _refill(self) -> None:
        """A side is never eaten up."""
        for side in (self.bids, self.asks):
            while len(side.keys) < 5:
                price = side.best - side.sign * self.tick * (1 + len(side.keys))
                side.add(min(max(price, self.tick), ONE - self.tick), self._order())

    def _best(self) -> tuple[int, int]:
        return self.bids.best, self.asks.best

    def _levels(self) -> list[tuple[list[str], list[str]]]:
        return [(self.bids.own, self.asks.own), (self.asks.mirrored, self.bids.mirrored)]

    def _hashes(self) -> list[str]:
        rest = f',"min_order_size":"{MIN_SIZE}","tick_size":"{self._tick_text}","neg_risk":false,"last_trade_price":"{self._last}"}}'
        return [
            sha1(
                f'{self._heads[n]}{self._at_ms}","hash":"","bids":{_compact(bids)},"asks":{_compact(asks)}{rest}'.encode()
            ).hexdigest()
            for n, (bids, asks) in enumerate(self._levels())
        ]

    def _live(self) -> list[str]:
        hashes = self._hashes()
        return [
            f'{{"market":"{self.condition}", "asset_id":"{self.tokens[n]}", "bids":{_spaced(bids)}, "asks":{_spaced(asks)}, '
            f'"hash":"{hashes[n]}", "timestamp":"{self._at_ms}", "event_type":"book"}}'
            for n, (bids, asks) in enumerate(self._levels())
        ]

    def _changed(self, is_bid: bool, price: int, total: int, hashes: Sequence[str]) -> str:
        bid, ask = self._best()
        size = shares(total)
        own = f'{self._entries[0]}{_PRICES[price]}", "size":"{size}", "side":"{_side(is_bid)}", "hash":"{hashes[0]}", "best_bid":"{_PRICES[bid]}", "best_ask":"{_PRICES[ask]}"}}'
        mirror = f'{self._entries[1]}{_PRICES[ONE - price]}", "size":"{size}", "side":"{_side(not is_bid)}", "hash":"{hashes[1]}", "best_bid":"{_PRICES[ONE - ask]}", "best_ask":"{_PRICES[ONE - bid]}"}}'
        # The token that the order was placed for leads.
        both = f"{own}, {mirror}" if self._dice.random() < 0.5 else f"{mirror}, {own}"
        return f'{self._change_head}{both}], "timestamp":"{self._at_ms}", "event_type":"price_change"}}'

    def _told_best(self) -> list[str]:
        bid, ask = self._best()
        return [
            f'{{"market":"{self.condition}", "asset_id":"{token}", "best_bid":"{_PRICES[low]}", "best_ask":"{_PRICES[high]}", '
            f'"spread":"{_PRICES[ask - bid]}", "timestamp":"{self._at_ms}", "event_type":"best_bid_ask"}}'
            for token, (low, high) in zip(self.tokens, ((bid, ask), (ONE - ask, ONE - bid)), strict=True)
        ]

    def _trade(self, buys: bool, price: int, transaction: int) -> str:
        return (
            f'{{"market":"{self.condition}", "asset_id":"{self.tokens[0]}", "price":"{_PRICES[price]}", "size":"{shares(self._order())}", '
            f'"fee_rate_bps":"0", "side":"{_side(buys)}", "timestamp":"{self._at_ms}", "event_type":"last_trade_price", '
            f'"transaction_hash":"0x{sha256(b"%d" % transaction).hexdigest()}"}}'
        )


def _side(is_bid: bool) -> str:
    return "BUY" if is_bid else "SELL"


def _compact(levels: Sequence[str]) -> str:
    return f"[{','.join(levels)}]"


def _spaced(levels: Sequence[str]) -> str:
    """Live frames have a blank after each comma."""
    return "[" + ", ".join(levels).replace('","', '", "') + "]"
