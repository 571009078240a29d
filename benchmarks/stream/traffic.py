"""What the venue says to everybody in one run: the mix of PROTOCOL 8.4 over many markets, some of them livelier than others."""

from __future__ import annotations

import hashlib
import itertools
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate
from random import Random

from benchmarks.stream.books import Market, Said

# Shares of all messages (PROTOCOL 8.4: 229,256 changes, 3,328 books and 1,658 trades of 234,254); the rest are changes.
BOOKS = 0.014
TRADES = 0.006
BEST = 0.001
# The liveliest markets speak some ten times as often as the median one.
LIVELINESS = 1.0
# Venue time goes by as at this rate, whatever the rate of sending: hashes cover the time, so it is written once.
MESSAGES_A_S = 10_000
SEED = 20261122


@dataclass(frozen=True)
class Traffic:
    """First books by token, what follows in order, and the first state again for a second pass."""

    dumps: dict[str, str]
    said: list[Said]
    reopened: list[Said]


def traffic(markets: int, messages: int) -> Traffic:
    """So many messages over so many markets; the same every time but for the instants."""
    dice = Random(SEED)
    began_ms = time.time_ns() // 1_000_000
    held = [Market(number, began_ms, dice) for number in range(markets)]
    dumps = {
        token: text for market in held for token, text in zip(market.tokens, market.dumps(), strict=True)
    }
    reopened = [market.reopened() for market in held]
    weights = list(accumulate(dice.lognormvariate(0, LIVELINESS) for _ in held))
    said: list[Said] = []
    count = books = trades = best = 0
    while count < messages:
        (market,) = dice.choices(held, cum_weights=weights)
        at_ms = began_ms + 1 + count * 1000 // MESSAGES_A_S
        if books < BOOKS * count:
            one = market.traded(at_ms, trades, told=trades < TRADES * count)
        else:
            one = market.moved(at_ms, tell_best=best < BEST * count)
        said.append(one)
        count += one.messages
        books += one.books
        trades += one.trades
        best += one.messages - one.changes - one.books - one.trades
    return Traffic(dumps, said, reopened)


def until(messages: int, made: Traffic) -> Iterator[Said]:
    """What was made, again and again, up to so many messages; from the second pass on each market begins with its books."""
    count = trades = 0
    fresh = set(range(len(made.reopened)))
    for turn in itertools.count():
        for said in made.said:
            if said.market not in fresh:
                fresh.add(said.market)
                count += made.reopened[said.market].messages
                yield made.reopened[said.market]
            count += said.messages
            trades += said.trades
            yield said if not (turn and said.trades) else _settled_anew(said, trades)
            if count >= messages:
                return
        fresh.clear()


def _settled_anew(said: Said, transaction: int) -> Said:
    """The same trade in another transaction: a hash that came before would cost a recorder nothing to keep."""
    end = b'"}'
    digest = hashlib.sha256(b"again %d" % transaction).hexdigest().encode()
    return said._replace(payload=said.payload[: -len(digest) - len(end)] + digest + end)
