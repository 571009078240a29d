"""Identities of the wire in their one form: condition ids, token ids, transaction hashes. Raise `ValueError`."""

from __future__ import annotations

import re
from functools import lru_cache

# A v2 condition id is 31 bytes; the same id padded with a zero byte is what the other services speak.
_CONDITION = re.compile(r"0x(?:[0-9a-f]{64}|[0-9a-f]{62})")
_HASH = re.compile(r"0x[0-9a-f]{64}")
# A token id is a number of 256 bits.
_TOKEN_DIGITS = 78
# The markets of one process, with room.
_KEPT = 65_536


@lru_cache(_KEPT)
def condition_id(text: str) -> str:
    """`0x` and 64 hex digits, lower case; the 62-digit form is padded."""
    lower = text.lower()
    if not _CONDITION.fullmatch(lower):
        raise ValueError(f"{text[:80]!r} is not a condition id")
    return lower if len(lower) == 66 else lower + "00"


def wire_forms(condition: str) -> tuple[str, ...]:
    """The spellings under which the catalogue may know a condition id: as it is, and shortened if it may be v2."""
    return (condition, condition[:-2]) if condition.endswith("00") else (condition,)


@lru_cache(_KEPT)
def token_id(text: str) -> str:
    """Decimal text of at most 78 digits."""
    if not (text.isascii() and text.isdecimal() and len(text) <= _TOKEN_DIGITS):
        raise ValueError(f"{text[:80]!r} is not a token id")
    return text


def tx_hash(text: str) -> str:
    """`0x` and 64 hex digits, lower case."""
    lower = text.lower()
    if not _HASH.fullmatch(lower):
        raise ValueError(f"{text[:80]!r} is not a transaction hash")
    return lower
