"""Everything that can go wrong with the market socket and with the REST services, by name. One file each; `board` switches them."""

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
from simulator.faults.rest.blocked import Blocked
from simulator.faults.rest.error_storm import ErrorStorm
from simulator.faults.rest.huge_body import HugeBody
from simulator.faults.rest.ignored_parameters import IgnoredParameters
from simulator.faults.rest.latency import Latency
from simulator.faults.rest.limiter import Limiter
from simulator.faults.rest.missing_cursor import MissingCursor
from simulator.faults.rest.offset_ceiling import OffsetCeiling
from simulator.faults.rest.omitted_books import OmittedBooks
from simulator.faults.rest.repeated_rows import RepeatedRows
from simulator.faults.rest.short_pages import ShortPages
from simulator.faults.rest.slow_loris import SlowLoris
from simulator.faults.rest.stuck_cursor import StuckCursor
from simulator.faults.rest.throttle import Throttle
from simulator.faults.rest.truncated_body import TruncatedBody
from simulator.faults.rest.venue_down import VenueDown
from simulator.faults.silent_cap import SilentCap
from simulator.faults.torn_json import TornJson
from simulator.faults.wrong_book import WrongBook

FAULTS: dict[str, type[Fault[Any]]] = {
    fault.name: fault
    for fault in (
        FreezeSocket, FreezeTokens, SilentCap, InvalidOperation, HalfOpen, NoPong, Close, Refuse,
        Duplicate, Reorder, Delay, Burst, OldForms, TornJson, ClockSkew, WrongBook,
        Latency, Limiter, Throttle, ErrorStorm, Blocked, VenueDown, SlowLoris, HugeBody, TruncatedBody,
        StuckCursor, MissingCursor, RepeatedRows, IgnoredParameters, OmittedBooks, OffsetCeiling, ShortPages,
    )
}  # fmt: skip
