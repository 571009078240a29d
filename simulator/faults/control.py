"""Faults over the control port: what there is, what is on, on and off."""

from __future__ import annotations

from typing import Any

import msgspec
from aiohttp import web

from simulator import stamps
from simulator.errors import answer, clob
from simulator.faults import FAULTS
from simulator.faults.board import Board, fitting
from simulator.faults.fault import Fault
from simulator.faults.parameters import Unfit, described
from simulator.sockets import Hub

ASKED = "deleted"


class Control:
    """Its routes over a hub."""

    def __init__(self, hub: Hub) -> None:
        self._hub, self._board = hub, hub.faults

    def routes(self) -> list[web.RouteDef]:
        """Under the control port."""
        return [
            web.get("/faults", self._list),
            web.post("/faults/{name}", self._begin),
            web.delete("/faults", self._end_all),
            web.delete("/faults/{id}", self._end),
        ]

    async def _list(self, request: web.Request) -> web.Response:
        sockets = sorted(self._hub.sockets, key=lambda socket: socket.number)
        return answer({
            "faults": [{"name": name, "doc": fault.__doc__, "parameters": described(fault.takes)} for name, fault in FAULTS.items()],
            "on": [_told(self._board, fault) for fault in self._board.on],
            "sockets": [{"number": socket.number, "tokens": len(socket.tokens)} for socket in sockets],
        })  # fmt: skip

    async def _begin(self, request: web.Request) -> web.Response:
        name, body = request.match_info["name"], await request.read()
        try:
            given = fitting(name, msgspec.json.decode(body) if body else {})
        except msgspec.DecodeError as e:
            return clob(f"{name}: the parameters are not JSON: {e}")
        except Unfit as e:
            return clob(str(e))
        fault = self._board.begin(name, given)
        return answer({"id": fault.id, "fault": name, "sockets": sorted(fault.sockets)})

    async def _end(self, request: web.Request) -> web.Response:
        said = request.match_info["id"]
        if not said.isdecimal() or not self._board.end(int(said), ASKED):
            return clob(f"no fault {said} is on", 404)
        return answer({"ended": [int(said)]})

    async def _end_all(self, request: web.Request) -> web.Response:
        return answer({"ended": self._board.end_all(ASKED)})


def _told(board: Board, fault: Fault[Any]) -> dict[str, Any]:
    since = stamps.rfc3339(board.since[fault.id], 6)
    return {"id": fault.id, "fault": fault.name, "parameters": msgspec.to_builtins(fault.given), "since": since, "sockets": sorted(fault.sockets), "tokens": len(fault.tokens), "withheld": fault.withheld, "altered": fault.altered}  # fmt: skip
