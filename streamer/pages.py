"""The pages on which a running streamer accounts for itself. Made in the loop's thread, from what it holds at that moment."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from streamer.connections import Connection
    from streamer.keeping import Keeper
    from streamer.loop import Loop
    from streamer.publisher import Publisher

Page = dict[str, Any]

_US = 1_000_000
# No readable data at all for this long, while markets are wanted, needs a person: every venue restart is shorter.
SILENT_S = 180.0
# Sockets that are away for this long are no restart of the venue's either.
AWAY_S = 180.0
# Names of markets that a page lists: enough to see what they have in common.
MOST_NAMED = 200
# Seconds after the start in which nothing is expected to be complete.
SETTLING_S = 120.0


@dataclass(frozen=True)
class View:
    """What the pages are made of."""

    session_id: str
    began_us: int
    now_us: int
    loop: Loop
    keeper: Keeper
    publisher: Publisher
    trouble: str | None

    @property
    def connections(self) -> list[Connection]:
        """Those that should carry something."""
        return [connection for connection in self.loop.connections if connection.tokens]

    @property
    def troubles(self) -> list[str]:
        """What cannot be written or recovered now."""
        return [text for text in (self.trouble, self.keeper.trouble, self.publisher.trouble) if text]


def health(view: View) -> Page:
    """Where the streamer stands, in numbers."""
    connections, loop, recorder = view.connections, view.loop, view.keeper.recorder
    away = any(connection.socket is None for connection in connections)
    return {
        "status": "troubled" if view.troubles or away else "listening",
        "trouble": view.troubles,
        "session": view.session_id,
        "since": _instant(view.began_us),
        "sockets": {"open": sum(c.socket is not None for c in connections), "wanted": len(connections)},
        "connections": [_connection(one) for one in connections],
        "tokens": {
            "subscribed": sum(c.carried for c in connections),
            "wanted": sum(len(c.tokens) for c in connections),
            "without_book": sum(c.without_book for c in connections),
            "late": sum(c.late for c in connections),
        },
        "markets": {
            "placed": dict(loop.plan.placed) if loop.plan else {},
            "left_out": dict(loop.plan.left_out) if loop.plan else {},
        },
        "frames": dict(recorder.heard),
        "rows": {
            "published": view.publisher.published,
            "waiting": recorder.waiting,
            "segments": view.publisher.pending,
        },
        "audits": {
            "checks": dict(loop.audits.checks),
            "reseeds": dict(loop.audits.reseeds),
            "asked": loop.audits.asked,
            "compared": loop.audits.compared,
            "frozen": loop.audits.frozen,
        },
        "rest": loop.asked_over_rest,
        "last_data": _instant(loop.last_data_us),
        "gaps": view.keeper.gap_count,
        "reconnects": loop.reconnects,
    }


def _connection(one: Connection) -> Page:
    """A socket: whether it is open and since when, what it carries, and since when it is deaf."""
    is_open = one.socket is not None
    return {
        "number": one.number,
        "state": "away" if not is_open else "deaf" if one.deaf else "listening",
        "opened": _instant(one.opened_us) if is_open else None,
        "last_data": _instant(one.last_data_us),
        "deaf_since": _instant(one.deaf[0]) if one.deaf else None,
        "tokens": len(one.tokens),
        "subscribed": one.carried,
        "without_book": one.without_book,
        "late": one.late,
        "failures": one.failures,
    }


def critical(view: View) -> Page:
    """What needs a person now; nothing where all is well."""
    reasons = list(_reasons(view))
    return {"status": "critical" if reasons else "ok", "reasons": reasons}


def _reasons(view: View) -> Iterator[str]:
    yield from view.troubles
    if (view.now_us - view.began_us) / _US < SETTLING_S:
        return
    connections, loop = view.connections, view.loop
    last_us = loop.last_data_us or view.began_us
    if connections and (view.now_us - last_us) / _US >= SILENT_S:
        yield f"nothing was heard for {(view.now_us - last_us) / _US:.0f} s"
    away = [c for c in connections if c.deaf is not None and (view.now_us - c.deaf[0]) / _US >= AWAY_S]
    if away:
        yield f"{len(away)} of {len(connections)} sockets are away for more than {AWAY_S:.0f} s"
    hopeless = [id_ for id_, sockets in loop.frozen_on.items() if len(sockets) >= max(2, len(connections))]
    if hopeless:
        yield f"{len(hopeless)} markets froze on every socket, for example {hopeless[0]}"
    if loop.plan is not None and loop.plan.left_out:
        room = ", ".join(f"{count} of {tier.upper()}" for tier, count in sorted(loop.plan.left_out.items()))
        yield f"no room for {room}: raise STREAM_MAX_CONNECTIONS, stream fewer tiers, or share the markets among STREAM_SHARDS"


def coverage(view: View) -> Page:
    """What is heard against what should be, by tier."""
    plan = view.loop.plan
    if plan is None:
        return {"tiers": {}, "missing": []}
    heard = set().union(*(connection.listening() for connection in view.connections))
    should = Counter(plan.tiers.values())
    have = Counter(tier for market_id, tier in plan.tiers.items() if market_id in heard)
    missing = [market_id for market_id in plan.tiers if market_id not in heard]
    return {
        "tiers": {tier: {"should_be": should[tier], "heard": have[tier]} for tier in sorted(should)},
        "missing_count": len(missing),
        "missing": [
            {"market": market_id, "tier": plan.tiers[market_id]} for market_id in missing[:MOST_NAMED]
        ],
    }


def subscriptions(view: View) -> Page:
    """Every token that should be heard: on which socket, in which state, and when its market was last heard."""
    return {"tokens": [row for connection in view.connections for row in _of_connection(view, connection)]}


def _of_connection(view: View, connection: Connection) -> Iterator[Page]:
    for token, market_id in connection.tokens.items():
        book = view.keeper.recorder.books.get(market_id)
        yield {
            "token": token,
            "market": market_id,
            "connection": connection.number,
            "state": connection.state_of(token),
            "last_data": _instant(book.heard_us) if book else None,
            "epoch": book.epoch if book else 0,
        }


def metrics(view: View) -> str:
    """The numbers of `health` in the text form that Prometheus reads."""
    page = health(view)
    lines: list[str] = []
    for name, kind, said, values in _series(view, page):
        lines += [f"# HELP polymarket_stream_{name} {said}", f"# TYPE polymarket_stream_{name} {kind}"]
        lines += [f"polymarket_stream_{name}{labels} {value}" for labels, value in values.items()]
    return "\n".join(lines) + "\n"


def _series(view: View, page: Page) -> Iterator[tuple[str, str, str, dict[str, float]]]:
    def by(label: str, counts: dict[str, float]) -> dict[str, float]:
        return {f'{{{label}="{name}"}}': count for name, count in counts.items()}

    yield (
        "frames_total",
        "counter",
        "Frames heard, and oddities among them, by kind.",
        by("kind", page["frames"]),
    )
    yield "rows_published_total", "counter", "Rows brought to the lake.", {"": page["rows"]["published"]}
    yield "rows_waiting", "gauge", "Rows made and not published.", {"": page["rows"]["waiting"]}
    yield "segments_pending", "gauge", "Journal segments not in the lake.", {"": page["rows"]["segments"]}
    yield "gaps_total", "counter", "Intervals of deafness recorded.", {"": page["gaps"]}
    yield "reconnects_total", "counter", "Sockets lost.", {"": page["reconnects"]}
    yield "sockets", "gauge", "Sockets, wanted and open.", by("state", page["sockets"])
    yield "tokens", "gauge", "Tokens, wanted, subscribed, and without a book.", by("state", page["tokens"])
    yield (
        "markets_left_out",
        "gauge",
        "Markets without room, by tier.",
        by("tier", page["markets"]["left_out"]),
    )
    yield (
        "book_checks_total",
        "counter",
        "Book hashes made again, by outcome.",
        by("outcome", page["audits"]["checks"]),
    )
    yield (
        "book_reseeds_total",
        "counter",
        "Books asked for anew, by cause.",
        by("cause", page["audits"]["reseeds"]),
    )
    rest, counted = page["rest"], ("requests", "retries", "throttled", "waited_s", "breaker_opened")
    yield (
        "rest_total",
        "counter",
        "What asking for books over REST took: requests, 429s, seconds waited for limits, times the breaker opened.",
        by("kind", {name: rest[name] for name in counted if name in rest}),
    )
    yield (
        "rest_left_alone",
        "gauge",
        "1 while the breaker of REST is open.",
        {"": int(rest.get("breaker") == "open")},
    )
    yield "frozen_total", "counter", "Markets that moved unheard.", {"": page["audits"]["frozen"]}
    yield "critical", "gauge", "Reasons for which a person is needed.", {"": len(critical(view)["reasons"])}
    silent_s = (view.now_us - (view.loop.last_data_us or view.began_us)) / _US
    yield "silence_seconds", "gauge", "Since readable data last came.", {"": round(silent_s, 3)}


def _instant(at_us: int | None) -> str | None:
    from streamer.keeping import instant

    return instant(at_us).isoformat() if at_us else None
