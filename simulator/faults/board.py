"""The faults that are on: begun and ended while the venue runs, each noted in the ledger, and asked of every message.

`docs/simulator.md` has the table of faults and the forms of the lines.
"""

from __future__ import annotations

import asyncio
import itertools
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec
from aiohttp import web

from simulator.connections import PONG, Message, Socket
from simulator.faults import FAULTS
from simulator.faults.fault import Fault
from simulator.faults.parameters import OfTokens, Parameters, Unfit, read
from simulator.faults.rest.fault import Onward, RestFault

if TYPE_CHECKING:
    from simulator.sockets import Hub

FOR_S, MOMENT = "for_s", "done"


def fitting(name: str, given: object) -> Parameters:
    """The parameters of the fault of that name. Raises `Unfit`."""
    if name not in FAULTS:
        raise Unfit(f"there is no fault {name}: choose one of {', '.join(FAULTS)}")
    fault = FAULTS[name]
    read_ = read(name, fault.takes, given)
    if fault.needs_choice and isinstance(read_, OfTokens) and not read_.chosen:
        raise Unfit(f"{name} needs token_ids, condition_ids or share: which tokens?")
    return read_


class Board:
    """Switches, and the way of a message through what is switched on."""

    def __init__(self, hub: Hub, seed: int) -> None:
        self._hub, self._seed = hub, seed
        self._ids = itertools.count(1)
        # In the order in which they are asked.
        self.on: list[Fault[Any]] = []
        self._timers: dict[int, asyncio.TimerHandle] = {}
        self.since: dict[int, float] = {}

    # --- switching ------------------------------------------------------------------------------------

    def begin(self, name: str, given: Parameters) -> Fault[Any]:
        """Switch a fault on; parameters are `fitting`."""
        fault = FAULTS[name](next(self._ids), given, self._hub, self._onward, self._seed)
        for socket in self._hub.sockets:
            if fault.concerns(socket):
                fault.note(socket)
        self.on = sorted([*self.on, fault], key=lambda one: one.key)
        self.since[fault.id] = self._hub.clock()
        self._line("fault_begin", fault)
        fault.begin()
        if given.for_s is not None:
            self._timers[fault.id] = asyncio.get_running_loop().call_later(given.for_s, self.end, fault.id, FOR_S)  # fmt: skip
        elif fault.momentary:
            self.end(fault.id, MOMENT)
        return fault

    def end(self, id_: int, why: str) -> bool:
        """Switch a fault off; False when none of that id is on."""
        fault = next((one for one in self.on if one.id == id_), None)
        if fault is None:
            return False
        self.on = [one for one in self.on if one is not fault]
        if timer := self._timers.pop(id_, None):
            timer.cancel()
        del self.since[id_]
        fault.end()
        self._line(
            "fault_end", fault, why=why, withheld=fault.withheld, altered=fault.altered, **fault.tells()
        )
        return True

    def end_all(self, why: str) -> list[int]:
        """Switch everything off; the ids."""
        return [fault.id for fault in list(self.on) if self.end(fault.id, why)]

    def _line(self, kind: str, fault: Fault[Any], **more: Any) -> None:
        conditions = {self._hub.books.condition(token) for token in fault.tokens} - {None}
        self._hub.ledger.write(kind, id=fault.id, fault=fault.name, parameters=msgspec.to_builtins(fault.given), sockets=sorted(fault.sockets), condition_ids=sorted(map(str, conditions)), token_ids=sorted(fault.tokens), **more)  # fmt: skip

    # --- connections ----------------------------------------------------------------------------------

    def turns_away(self) -> int | None:
        """The HTTP status that answers a handshake now; None when it succeeds."""
        return next((status for fault in self.on if (status := fault.turns_away()) is not None), None)

    def opened(self, socket: Socket) -> None:
        """A socket opened."""
        for fault in self._of(socket):
            fault.note(socket)
            fault.opened(socket)

    def subscribed(self, socket: Socket, new: list[str]) -> None:
        """A socket listens to `new` tokens, or to fewer than before."""
        for fault in self._of(socket):
            fault.subscribed(socket, new)
            fault.note(socket)

    def rejects(self, socket: Socket) -> bool:
        """Whether what the socket asks for is not understood."""
        return any(fault.rejects() for fault in self._of(socket))

    def _of(self, socket: Socket) -> list[Fault[Any]]:
        return [fault for fault in self.on if fault.concerns(socket)]

    # --- requests -------------------------------------------------------------------------------------

    async def serve(self, request: web.Request, handler: Onward) -> tuple[web.StreamResponse, list[str]]:
        """The answer to a request past all faults that happen to it, and their names; the first to begin stands outermost."""
        met = [fault for fault in sorted(self.on, key=lambda one: one.id) if isinstance(fault, RestFault) and fault.meets(request)]  # fmt: skip
        serve = handler
        for fault in reversed(met):
            serve = partial(fault.serve, onward=serve)
        return await serve(request), [fault.name for fault in met]

    # --- messages -------------------------------------------------------------------------------------

    def hand(self, socket: Socket, message: Message) -> bool:
        """Hand over what the faults make of a message; whether it was queued at once and as it is."""
        faults, made = self._of(socket), [message]
        for fault in faults:
            made = [new for one in made for new in self._rewritten(fault, socket, one)]
        queued = [one for one in made if self._pass(faults, socket, one)]
        return message in queued

    def _rewritten(self, fault: Fault[Any], socket: Socket, message: Message) -> list[Message]:
        made = list(fault.rewrites(socket, message))
        fault.altered += made != [message]
        return made

    def _onward(self, fault: Fault[Any], socket: Socket, message: Message) -> None:
        """A fault lets go of what it held."""
        late = replace(message, faults=(*message.faults, fault.name))
        self._pass([one for one in self._of(socket) if one.key > fault.key], socket, late)

    def _pass(self, faults: list[Fault[Any]], socket: Socket, message: Message) -> bool:
        """Through those that hold, then past those that withhold; whether it was queued."""
        for fault in faults:
            if fault.holds(socket, message):
                fault.altered += 1
                return False
        for fault in self._of(socket):
            if fault.withholds(socket, message):
                fault.withheld += 1
                if message.done:
                    message.done(fault.name)
                return False
        taken = self._hub.put(socket, message)
        if taken:
            self._note(socket, message)
        return taken

    def _note(self, socket: Socket, message: Message) -> None:
        """What a fault touched has a line of its own; a trade that is told whole has its own already."""
        if not message.faults or message.done:
            return
        if message.type == PONG:
            self._hub.ledger.write("pong", socket=socket.number, faults=message.faults)
        elif message.is_frame:
            self._hub.ledger.write("frames", type=message.type, condition_id=message.condition_id, token_ids=list(message.tokens), count=1, sockets=[socket.number], faults=message.faults)  # fmt: skip
