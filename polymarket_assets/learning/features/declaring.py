"""The words in which features are declared.

A declaration is all there is of a feature: its column in the lake, its row of docs/features.md, its description in MLflow
and its value are derived from it. `sql` is one DuckDB expression over a row of evidence (`learning.evidence`) and over
features declared before it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Kind(Enum):
    """What a value is."""

    REAL = "real"
    FLAG = "flag"
    WORD = "word"
    SMALL = "small"  # a small whole number


class Mirror(Enum):
    """What a value becomes when the two outcomes of a market change places."""

    SAME = "same"
    NEGATED = "negated"
    COMPLEMENT = "complement"  # 1 − value
    UNKNOWN = "unknown"


# What a feature is made of, by the letter of docs/features.md.
SOURCES: dict[str, str] = {
    "S": "prices: the newest snapshot, of history the newest price",
    "B": "books: the newest of `orderbooks`, of history of `history_books`",
    "T": "trades: `trades` and `trades_raw`, of history `history_trades`",
    "M": "metadata of the market, as stored then",
    "E": "prices of the markets of its event or negRisk set",
}


@dataclass(frozen=True)
class Feature:
    """One feature.

    `back` is how far it looks back of the decision instant; `null` when there is no value; `leak` the trap it must not fall
    into; `idea` where it comes from (keys of the sources in docs/features.md).
    """

    name: str
    what: str
    unit: str
    sources: str
    back: str
    null: str
    sql: str
    leak: str = "–"
    idea: str = "–"
    kind: Kind = Kind.REAL
    is_required: bool = False
    # Made of the sides of trades: of use only where `sign_quality` is high.
    is_signed: bool = False
    # When outcomes change places: what becomes of it, or the feature it changes places with.
    mirror: Mirror | str = Mirror.SAME

    @property
    def said(self) -> str:
        """One line: what it is, its unit, and when it is null."""
        unit = "" if self.unit == "–" else f", {self.unit}"
        return f"{self.what}{unit}" + ("" if self.is_required else f"; null: {self.null}")
