"""Everything that can go wrong with the market socket, by name. One file each; `board` switches them."""

from __future__ import annotations

from typing import Any

from simulator.faults.burst import Burst
from simulator.faults.clock_skew import ClockSkew
from simulator.faults.close import Close
from simulator.faults.delay import Delay
from simulator.faults.duplicate import Duplicate
from simulator.faults.fault import Fault
from simulator.faults.freeze_socket import FreezeSocket
from simulator.faults.freeze_tokens import FreezeTokens
from simulator.faults.half_open import HalfOpen
from simulator.faults.invalid_operation import InvalidOperation
from simulator.faults.no_pong import NoPong
from simulator.faults.old_forms import OldForms
from simulator.faults.refuse import Refuse
from simulator.faults.reorder import Reorder
from simulator.faults.silent_cap import SilentCap
from simulator.faults.torn_json import TornJson
from simulator.faults.wrong_book import WrongBook

FAULTS: dict[str, type[Fault[Any]]] = {
    fault.name: fault
    for fault in (
        FreezeSocket, FreezeTokens, SilentCap, InvalidOperation, HalfOpen, NoPong, Close, Refuse,
        Duplicate, Reorder, Delay, Burst, OldForms, TornJson, ClockSkew, WrongBook,
    )
}  # fmt: skip
