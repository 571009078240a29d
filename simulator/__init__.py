"""A local venue: it speaks the venue's wire over real sockets, and keeps a ledger of everything it said.

It imports nothing of the platform: it is the other side of the wire. `docs/simulator.md` tells what it serves,
by which formulas, and what of it a seed decides.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from simulator.running import Running

DEFAULT_SEED = 7
DEFAULT_PORT = 9100


def start(**options: Any) -> Running:
    """Serve in a thread of this process until `stop()`; options are those of `running.start`."""
    from simulator.running import start as start_running

    return start_running(**options)
