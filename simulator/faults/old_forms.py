"""Changes of price as the venue wrote them in earlier years (PROTOCOL 8.3)."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from typing import Annotated, Any, Literal

from msgspec import Meta

from simulator.connections import Message, Socket
from simulator.faults.fault import FORM, Fault
from simulator.faults.parameters import OfFrames
from simulator.faults.silence import LIVE

Entry = dict[str, Any]


class Forms(OfFrames, frozen=True, kw_only=True):
    form: Annotated[Literal["changes", "flat"], Meta(description='"changes": of mid-2025, the token outside; "flat": of 2024, one level')] = "changes"  # fmt: skip


def _changes(said: Entry, entry: Entry) -> Entry:
    change = {key: entry[key] for key in ("price", "side", "size")}
    return {"market": said["market"], "asset_id": entry["asset_id"], "timestamp": said["timestamp"], "hash": entry["hash"], "changes": [change], "event_type": said["event_type"]}  # fmt: skip


def _flat(said: Entry, entry: Entry) -> Entry:
    told = {**entry, **{key: said[key] for key in ("event_type", "market", "timestamp")}}
    return {key: told[key] for key in ("asset_id", "event_type", "hash", "market", "price", "side", "size", "timestamp")}  # fmt: skip


FORMS = {"changes": _changes, "flat": _flat}


class OldForms(Fault[Forms]):
    """A price_change comes in an older form: one frame for each of its tokens that is listened to."""

    name = "old_forms"
    takes = Forms
    stage = FORM

    def rewrites(self, socket: Socket, message: Message) -> Iterable[Message]:
        if message.type != "price_change" or not self.speaks(message):
            return (message,)
        said, write = json.loads(message.text), FORMS[self.given.form]
        return [
            replace(self.altered_to(message, json.dumps(write(said, entry), separators=LIVE)), tokens=(entry["asset_id"],))
            for entry in said["price_changes"]
            if entry["asset_id"] in socket.tokens
        ]  # fmt: skip
