"""The words in which a form is declared: its files with their columns, and the queries that turn them into rows.

Queries run in DuckDB, in UTC, over one view per file named after its role (`markets`, `prices`, …).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb


@dataclass(frozen=True)
class Kind:
    """What a column holds: the DuckDB types it may have, and which of its values are wrong."""

    name: str
    types: frozenset[str]
    # SQL over {c}; true for a value that cannot be.
    wrong: str
    says: str
    # SQL over {c}, of all values together; true where they cannot be what they are said to be.
    whole: str = "false"
    whole_says: str = ""


_WHOLE = frozenset({"TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT"})  # fmt: skip
_NUMBERS = _WHOLE | {"FLOAT", "DOUBLE", "DECIMAL"}
_INSTANTS = frozenset({"TIMESTAMP", "TIMESTAMP_S", "TIMESTAMP_MS", "TIMESTAMP_NS", "TIMESTAMP WITH TIME ZONE", "DATE"})  # fmt: skip

TEXT = Kind("text", frozenset({"VARCHAR"}), "trim({c}) = ''", "are empty")
# Ids stay text in files of text, and may be numbers elsewhere.
ID = Kind("an id", frozenset({"VARCHAR"}) | _WHOLE, "trim({c}::varchar) = ''", "are empty")
CONDITION = Kind("a condition id", frozenset({"VARCHAR"}), "not regexp_full_match({c}, '0[xX][0-9a-fA-F]{{64}}')", "are no condition ids")  # fmt: skip
WORDS = frozenset({TEXT, ID, CONDITION})
FLAG = Kind("a flag", _NUMBERS | {"BOOLEAN"}, "{c}::double not in (0, 1)", "are neither true nor false")
PRICE = Kind(
    "a price", _NUMBERS, "not ({c} between 0 and 1)", "lie outside 0 … 1: prices are dollars a share, not cents"
)  # fmt: skip
# Years that no market has had stand for "never": filed, they would be a day that nothing can count to.
_NO_INSTANT = "coalesce(try_cast({c} as timestamp) not between '2000-01-01'::timestamp and '2100-01-01'::timestamp, true)"
INSTANT = Kind("an instant", _INSTANTS | {"VARCHAR"}, _NO_INSTANT, "are no instants from 2000 to 2100")
# The largest of a column in cents is above one cent, or the column is in dollars.
CENTS = Kind("a price in cents", _NUMBERS, "not ({c} between 0 and 100)", "lie outside 0 … 100 cents",
             whole="max({c}) <= 1", whole_says="never exceed 1: these are dollars, not cents")  # fmt: skip
SIZE = Kind("a number of shares", _NUMBERS, "not ({c} between 0 and 1e12)", "are no number of shares")
INDEX = Kind("a number of an outcome", _NUMBERS, "not ({c} between 0 and 127)", "are no number of an outcome")
_SIDES = "lower({c}) not in ('buy', 'sell')"
SIDE = Kind("buy or sell", frozenset({"VARCHAR"}), _SIDES, "are neither buy nor sell")


@dataclass(frozen=True)
class Levels(Kind):
    """Lists of levels, which are looked at one by one: prices up to `most`, the `best` of them first where it is said."""

    most: int = 1
    # highest | lowest; None: in any order.
    best: str | None = None


def levels_kind(most: int = 1, best: str | None = None) -> Levels:
    """A side of books whose prices reach up to `most`."""
    unit = "dollars a share from 0 to 1, not cents" if most == 1 else f"cents from 0 to {most}"
    says = f"are none: prices are {unit}, sizes are not negative"
    return Levels(
        "a list of levels {price, size}", frozenset({"STRUCT"}), "false", says, most=most, best=best
    )


BIDS, ASKS = levels_kind(best="highest"), levels_kind(best="lowest")


def _since_1970(unit: str, factor: int) -> Kind:
    """Instants as numbers from 2000 to 2100: in another unit they lie far away."""
    within = f"{946_684_800 * factor} and {4_102_444_800 * factor}"
    return Kind(f"unix {unit}", _NUMBERS, f"not ({{c}} between {within})", f"are not {unit} since 1970")


UNIX_S = _since_1970("seconds", 1)
UNIX_MS = _since_1970("milliseconds", 1_000)
UNIX_US = _since_1970("microseconds", 1_000_000)
UNIX = frozenset({UNIX_S, UNIX_MS, UNIX_US})


@dataclass(frozen=True)
class Column:
    """A column a form reads; every other column of the file is left alone."""

    name: str
    kind: Kind
    nullable: bool = False


@dataclass(frozen=True)
class File:
    """A file of a form: the view it becomes, the columns that make it recognisable, all that are read, and its key.

    A file without a key repeats rows by its nature: the queries say which count, and count the others.
    """

    role: str
    signature: frozenset[str]
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    # The same market on many rows: rows that say the same of it are one.
    repeats: bool = False
    # SQL over the columns -> what is wrong where it is true.
    never: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Form:
    """A dataset we know: its files, and the queries that turn them into rows; None where it has none of a kind.

    `markets` gives the columns of `history_markets` it knows (the rest is null) and `left_out`: why a market is not
    taken, null where it is; it may give `series_left_out`: why none of its prices, books and trades is. `prices` gives
    `market_id priced_at known_at price_e6 bid_e6 ask_e6 fidelity_s`, `books` `market_id booked_at known_at bids asks bid_e6 ask_e6 levels` with the best prices and the number of levels, `trades`
    `market_id traded_at n outcome_index is_buy price_e6 size_e6 tx_hash truncated`, and each `left_out`, null where nothing
    speaks against the row. Without `prices`, books give them. `ends` gives the columns of `resolutions` it knows, `evidence` as a
    struct. `name` is the `source` of every row. `prepare` runs before the queries, for what SQL should not decide.
    """

    name: str
    holds: str
    files: tuple[File, ...]
    markets: str
    prices: str | None = None
    ends: str | None = None
    books: str | None = None
    trades: str | None = None
    prepare: Callable[[duckdb.DuckDBPyConnection], None] | None = None

    @property
    def series(self) -> dict[str, str]:
        """The queries of prices, books and trades, by what they give, books first."""
        prices = self.prices or (PRICES_OF_BOOKS if self.books else None)
        given = {"books": self.books, "prices": prices, "trades": self.trades}
        return {name: query for name, query in given.items() if query is not None}


# The best levels of a book; a price only where both sides rest uncrossed, as the middle.
PRICES_OF_BOOKS = """
    select market_id, booked_at as priced_at, known_at,
        case when bid_e6 <= ask_e6 then ((bid_e6 + ask_e6) / 2)::integer end as price_e6, bid_e6, ask_e6, 0 as fidelity_s, left_out
    from given_books
"""


def e6(price: str) -> str:
    """SQL: dollars a share as millionths."""
    return f"round({price} * 1e6)::integer"


def payouts(won: str) -> str:
    """SQL: what a share of each of two outcomes pays, given whether the first won."""
    return f"case when {won} then [1000000, 0] else [0, 1000000] end::bigint[]"


def levels(side: str) -> str:
    """SQL: a list of levels in dollars and shares as millionths."""
    return f"list_transform({side}, lambda l: {{'price_e6': {e6('l.price::double')}, 'size_e6': round(l.size::double * 1e6)::bigint}})"


def middle(bid: str, ask: str) -> str:
    """SQL: the middle of two quotes in millionths, where both rest uncrossed."""
    return f"case when {bid} <= {ask} then {e6(f'({bid} + {ask}) / 2')} end"
