"""A mapping: a YAML file in which a user says what a dataset of their own holds. Read, and every mistake in it told."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from polymarket_assets.history_import.errors import BadDataset

Time = Literal["s", "ms", "us", "iso"]
Unit = Literal["dollars", "cents"]
# A source names parts of the lake and stands in every row.
_SOURCE = r"^[a-z][a-z0-9_]{0,39}$"
# As deep as books of the venue were seen, with room.
DEEPEST = 200


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Section(_Strict):
    """What every kind of file has: where it lies beside the mapping (names or patterns), and the unit of its instants."""

    files: str | list[str]
    time: Time = "iso"

    def paths(self, beside: Path) -> list[Path]:
        """The files that are there, in order, each once."""
        patterns = [self.files] if isinstance(self.files, str) else self.files
        found = (path for pattern in patterns for path in sorted(beside.glob(pattern)))
        return list(dict.fromkeys(path.resolve() for path in found))


class MarketColumns(_Strict):
    """Which column of a file of markets is what."""

    id: str
    close: str
    expected_close: str | None = None
    listed: str | None = None
    outcome: str | None = None
    label_public: str | None = None
    question: str | None = None
    event: str | None = None
    category: str | None = None


class Markets(Section):
    """Files of markets; with `repeats`, a market stands on many rows that say the same of it."""

    columns: MarketColumns
    repeats: bool = False


class PriceColumns(_Strict):
    """Which column of a file of prices is what."""

    id: str
    time: str
    known: str | None = None
    price: str | None = None
    bid: str | None = None
    ask: str | None = None


class Prices(Section):
    """Files of prices or best quotes; `spacing_s` 0: changes only, or irregular."""

    columns: PriceColumns
    unit: Unit = "dollars"
    spacing_s: int = Field(0, ge=0)


class BookColumns(_Strict):
    """Which column of a file of books is what: lists of {price, size}, or numbered columns with `{n}` for the level."""

    id: str
    time: str
    known: str | None = None
    bids: str | None = None
    asks: str | None = None
    bid_price: str | None = None
    bid_size: str | None = None
    ask_price: str | None = None
    ask_size: str | None = None


class Books(Section):
    """Files of books; `levels` says how many numbered columns there are, `best_first: false` has levels sorted."""

    columns: BookColumns
    unit: Unit = "dollars"
    levels: int | None = Field(None, ge=1, le=DEEPEST)
    best_first: bool = True


class TradeColumns(_Strict):
    """Which column of a file of trades is what; `outcome` is the number of the outcome that traded, 0 without it."""

    id: str
    time: str
    price: str
    size: str
    side: str
    outcome: str | None = None


class Trades(Section):
    """Files of trades; `complete`: they hold every trade of their markets."""

    columns: TradeColumns
    unit: Unit = "dollars"
    complete: bool = False


class Mapping(_Strict):
    """The whole file."""

    source: str = Field(pattern=_SOURCE)
    venue: Literal["polymarket", "polymarket_us", "import"]
    ids: Literal["own", "condition"] = "own"
    category: str | None = None
    outcomes: list[str] = ["Yes", "No"]
    markets: Markets
    prices: Prices | None = None
    books: Books | None = None
    trades: Trades | None = None

    @property
    def sections(self) -> dict[str, Section]:
        """The files by what they hold."""
        given = {"markets": self.markets, "prices": self.prices, "books": self.books, "trades": self.trades}
        return {name: section for name, section in given.items() if section is not None}


def read(path: Path) -> Mapping:
    """A mapping. Raises `BadDataset` with a sentence for every mistake in it."""
    try:
        mapping = Mapping.model_validate(yaml.safe_load(path.read_text()))
    except yaml.YAMLError as e:
        raise BadDataset([f"{path.name} is no YAML: {' '.join(str(e).split())}"]) from e
    except UnicodeDecodeError as e:
        raise BadDataset([f"{path.name} is no text"]) from e
    except ValidationError as e:
        raise BadDataset([f"{path.name}: {_sentence(error)}" for error in e.errors()]) from e
    against = [f"{path.name}: {reason}" for reason in (*_against(mapping), *_absent(mapping, path))]
    if against:
        raise BadDataset(against)
    return mapping


def _sentence(error: object) -> str:
    """A mistake as pydantic found it, in words."""
    assert isinstance(error, dict)
    where = ".".join(map(str, error["loc"])) or "it"
    if error["type"] == "missing":
        return f"{where} is missing"
    if error["type"] == "extra_forbidden":
        return f"{where} is not known here: see docs/import.md for what there is"
    if error["type"] == "string_pattern_mismatch":
        return f"{where} should be a word of lower-case letters, digits and _, and is {error['input']!r}"
    return f"{where}: {error['msg'][0].lower()}{error['msg'][1:]}, and it is {str(error['input'])[:40]!r}"


def _absent(mapping: Mapping, path: Path) -> Iterator[str]:
    for name, section in mapping.sections.items():
        if not section.paths(path.parent):
            yield f"{name}.files: there is no {section.files} beside it"


def _against(mapping: Mapping) -> Iterator[str]:
    """What no single key can tell."""
    if mapping.ids == "condition" and mapping.venue != "polymarket":
        yield f"ids: condition ids are the venue polymarket's, and venue is {mapping.venue}"
    if len(mapping.outcomes) < 2:
        yield "outcomes: a market has two at least"
    if mapping.prices:
        yield from _against_prices(mapping.prices, mapping.markets)
    if mapping.books:
        yield from _against_books(mapping.books)


def _against_prices(prices: Prices, markets: Markets) -> Iterator[str]:
    given = {name: getattr(prices.columns, name) for name in ("price", "bid", "ask")}
    if not any(given.values()):
        yield "prices.columns: price is missing, or bid and ask are"
    for name, column in given.items():
        if column is not None and column == markets.columns.outcome:
            yield f"prices.columns.{name}: {column} is the outcome of the market; an outcome is no price"


def _against_books(books: Books) -> Iterator[str]:
    columns = books.columns
    lists = (columns.bids, columns.asks)
    numbered = (columns.bid_price, columns.bid_size, columns.ask_price, columns.ask_size)
    if not (all(lists) and not any(numbered)) and not (all(numbered) and not any(lists)):
        yield "books.columns: give bids and asks, or bid_price, bid_size, ask_price and ask_size"
    if all(numbered):
        if books.levels is None:
            yield "books.levels is missing: how many numbered columns there are"
        for column in numbered:
            if column and not re.search(r"\{n\}", column):
                yield f"books.columns: {column} does not say where its number stands; write {{n}}"
