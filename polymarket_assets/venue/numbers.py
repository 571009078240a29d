"""Numbers of the wire as exact integers of millionths, never by way of a float.

Prices and sizes come as decimal text, or as JSON numbers of which decoding kept the text; with more than six
decimals they are rounded to the nearest millionth, ties to even. Everything here raises `ValueError`.
"""

from __future__ import annotations

import math
import re
from decimal import ROUND_HALF_EVEN, Context, Decimal
from functools import lru_cache

from polymarket_assets.venue.records import E6

# Dollars and shares beyond this are no market's; their millionths, and price times size, still fit 64 bits.
MOST = 10**12
# Longer than any number the venue writes (token ids apart), so that no text costs much to read.
LONGEST = 64

_TO_E6 = (1_000_000, 100_000, 10_000, 1_000, 100, 10, 1)
_DECIMAL = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,4})?", re.ASCII)
_EXACT = Context(prec=LONGEST + 8, rounding=ROUND_HALF_EVEN)
# Every price of a grid of thousandths, in more than one spelling.
_PRICES_KEPT = 4096
# A frame gives each size twice, once for each token of the market.
_SIZES_KEPT = 4096


def e6(text: str) -> int:
    """Decimal text in millionths: `"0.53"` is 530000, `".5"` 500000, `"1e-3"` 1000."""
    whole, _, part = text.partition(".")
    digits = whole + part
    if len(part) <= 6 and len(digits) <= LONGEST and digits.isdecimal() and digits.isascii():
        return int(digits) * _TO_E6[len(part)]
    return _any_e6(text)


def _any_e6(text: str) -> int:
    """The forms that are rare: signs, exponents, more than six decimals."""
    if len(text) > LONGEST or not _DECIMAL.fullmatch(text):
        raise ValueError(f"{text[:LONGEST]!r} is not a number")
    value = Decimal(text)
    if value.adjusted() > LONGEST:
        raise ValueError(f"{text!r} is too large")
    return int(_EXACT.to_integral_value(_EXACT.scaleb(value, 6)))


@lru_cache(_PRICES_KEPT)
def price_e6(text: str) -> int:
    """A price in dollars a share, between 0 and 1, in millionths."""
    value = e6(text)
    if not 0 <= value <= E6:
        raise ValueError(f"{text!r} is not a price between 0 and 1")
    return value


@lru_cache(_SIZES_KEPT)
def size_e6(text: str) -> int:
    """A number of shares or dollars, in millionths."""
    value = e6(text)
    if not 0 <= value <= MOST * E6:
        raise ValueError(f"{text!r} is not a size")
    return value


def text_of(value: object) -> str:
    """The text of a number that may be one in JSON too; decoding keeps floats as they were written."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"{type(value).__name__} where a number belongs")
    if isinstance(value, float):
        return repr(value)
    return str(value) if -MOST * E6 <= value <= MOST * E6 else _too_large()


def _too_large() -> str:
    raise ValueError("an integer beyond any price or size")


def optional_text(value: object) -> str | None:
    """The same, where the wire may leave it out or write `""`."""
    return None if value is None or value == "" else text_of(value)


def tick_e6(value: object) -> int | None:
    """A tick size or another price that may be missing; a grid of 0 is none."""
    text = optional_text(value)
    return None if text is None else price_e6(text) or None


def optional_size_e6(value: object) -> int | None:
    """A size that may be missing."""
    text = optional_text(value)
    return None if text is None else size_e6(text)


def real(value: object) -> float | None:
    """A number that is measured rather than counted, such as a volume; None where it is missing."""
    text = optional_text(value)
    if text is None:
        return None
    if len(text) > LONGEST or not _DECIMAL.fullmatch(text):
        raise ValueError(f"{text[:LONGEST]!r} is not a number")
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text!r} is too large")
    return number
