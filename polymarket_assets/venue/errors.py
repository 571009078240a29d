"""What can go wrong with the world outside, by the one question a caller has: again?

PolymarketError
├── Unavailable        worth another attempt: time-out, 408/425/429, 5xx, a full disk
│   ├── Unreachable    no answer came: nobody there, or silent, or broken off
│   ├── BreakerOpen    a service that failed time after time, and is not asked for a while
│   └── OutOfTime      not asked at all: its turn would come later than the caller can wait
├── Refused            the request itself is wrong; repeating it cannot help
│   ├── Gone           the thing asked for does not exist (any more): 404, 422 of a delisted market
│   └── TooLarge       the request, or its answer, is larger than one side allows: ask for less
└── MalformedPayload   the answer came and could not be read; it is kept verbatim
"""

from __future__ import annotations

# How much of the evidence, and of what is wrong with it, stands in the message.
_SHOWN_CHARACTERS, _WHY_CHARACTERS = 200, 300


def printable(text: str, most: int) -> str:
    """What the other side wrote, as one line of so many of its characters: what moves a cursor or forges a line of a log is spelled out."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text[:most])


class PolymarketError(Exception):
    """Base of everything the outside world can do to us."""


class Unavailable(PolymarketError):
    """Worth another attempt; `retry_after_s` when the other side said how long to wait."""

    def __init__(self, message: str, *, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class Unreachable(Unavailable):
    """No answer came: nobody is there, or it was silent, or it broke off."""


class BreakerOpen(Unavailable):
    """A service failed time after time and is left alone; `retry_after_s` says for how long still."""


class OutOfTime(Unavailable):
    """Nothing was asked: the limits leave no room before the caller's time is over; `retry_after_s` says from when on they do."""


class Refused(PolymarketError):
    """The request itself is wrong; repeating it cannot help. `status` and `said`: the answer of a service, if one came."""

    def __init__(self, message: str, *, status: int | None = None, said: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.said = said


class Gone(Refused):
    """The thing asked for is not there: an answer, not a fault."""


class TooLarge(Refused):
    """The request, or its answer, is larger than one side allows: ask for less at once."""


class MalformedPayload(PolymarketError):
    """A payload of `kind` did not have the agreed form; `evidence` is what came, verbatim, cut to a readable length."""

    # Enough to recognise the payload in a log line, short enough to read.
    EVIDENCE_CHARACTERS = 2_000

    def __init__(self, kind: str, evidence: object, why: str = "") -> None:
        self.kind = kind
        self.evidence = str(evidence)[: self.EVIDENCE_CHARACTERS]
        told = f" ({printable(why, _WHY_CHARACTERS)})" if why else ""
        super().__init__(f"{kind} could not be read{told}: {printable(self.evidence, _SHOWN_CHARACTERS)}")
