"""Streamers: what each says of itself; all are asked at once, and none is waited for longer than a look may take."""

from __future__ import annotations

import json
import queue
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

from polymarket_assets.settings import Settings
from polymarket_assets.shards import Shard
from polymarket_assets.venue.errors import MalformedPayload, PolymarketError, Unavailable

# A streamer whose loop does not turn says so after two seconds.
PAGE_WITHIN_S = 2.2
# Three pages one after the other; a look has ten seconds (`asking.LOOK_WITHIN_S`), and the lake is asked, too.
ALL_WITHIN_S = 7.0
PAGES = ("health", "critical", "coverage")

Page = dict[str, Any]


@dataclass(frozen=True)
class Said:
    """What a streamer said, page by page, or why it did not."""

    address: str
    # What keys of its findings end with: nothing where it is the only one.
    which: str
    pages: dict[str, Page] = field(default_factory=dict)
    why: PolymarketError | None = None

    @property
    def name(self) -> str:
        """Its host and port."""
        return _name(self.address)

    @property
    def shard(self) -> Shard | None:
        """Its place among those that share the markets; None where it does not tell."""
        session = self.pages.get("health", {}).get("session")
        return Shard.of_session(session) if isinstance(session, str) else None


def asked(settings: Settings) -> list[Said]:
    """Every streamer that the settings name, in their order."""
    addresses = settings.stream_statuses
    late = Unavailable(f"no answer within {ALL_WITHIN_S:.0f} s")
    said = {one: Said(one, f":{_name(one)}" if len(addresses) > 1 else "", why=late) for one in addresses}
    answers: queue.SimpleQueue[Said] = queue.SimpleQueue()
    for one in said.values():
        # What hangs in the operating system, as a look-up of a name can, cannot be ended: its thread is left.
        threading.Thread(target=lambda one=one: answers.put(_ask(one)), name="ask-streamer", daemon=True).start()  # fmt: skip
    until = time.monotonic() + ALL_WITHIN_S
    with suppress(queue.Empty):
        for _ in addresses:
            answered = answers.get(timeout=max(0.0, until - time.monotonic()))
            said[answered.address] = answered
    return list(said.values())


def _ask(one: Said) -> Said:
    try:
        return replace(one, pages={name: _page(one.address, name) for name in PAGES}, why=None)
    except PolymarketError as e:
        return replace(one, why=e)


def _page(address: str, name: str) -> Page:
    """A page of a streamer; one that says that its loop does not turn too. Raises `Unavailable`, `MalformedPayload`."""
    from streamer import status

    said = status.ask(address, f"/{name}", PAGE_WITHIN_S)
    try:
        return dict(json.loads(said))
    except (TypeError, ValueError) as e:
        raise MalformedPayload(f"page {name} of the streamer at {_name(address)}", said, str(e)) from e


def _name(address: str) -> str:
    return address.partition("//")[2]
