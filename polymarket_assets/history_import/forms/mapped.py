"""The form of a dataset that a mapping describes: the same words as those of the forms we know."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from polymarket_assets.history_import.forms.declare import (
    CENTS,
    CONDITION,
    FLAG,
    ID,
    INDEX,
    INSTANT,
    PRICE,
    SIDE,
    SIZE,
    TEXT,
    UNIX_MS,
    UNIX_S,
    UNIX_US,
    Column,
    File,
    Form,
    Kind,
    e6,
    levels_kind,
    payouts,
)
from polymarket_assets.history_import.mapping import Books, Mapping, Prices, Section, Trades

# From the later of close and expected close until a result is taken for public, where the mapping does not say.
PUBLIC_AFTER = "interval 24 hours"

# By the unit of instants: what a column holds, and SQL that makes an instant of it.
_TIMES: dict[str, tuple[Kind, str]] = {
    "s": (UNIX_S, "make_timestamptz((({c}) * 1000000)::bigint)"),
    "ms": (UNIX_MS, "make_timestamptz((({c}) * 1000)::bigint)"),
    "us": (UNIX_US, "make_timestamptz(({c})::bigint)"),
    "iso": (INSTANT, "({c})::timestamptz"),
}
# By the unit of prices: what a column holds, and how many make a dollar.
_PRICES: dict[str, tuple[Kind, int]] = {"dollars": (PRICE, 1), "cents": (CENTS, 100)}


def form(mapping: Mapping) -> Form:
    """The form; its roles are the sections of the mapping."""
    prices, books, trades = mapping.prices, mapping.books, mapping.trades
    files = [
        _markets_file(mapping),
        *([_prices_file(mapping, prices)] if prices else []),
        *([_books_file(mapping, books)] if books else []),
        *([_trades_file(mapping, trades)] if trades else []),
    ]
    return Form(
        name=mapping.source,
        holds="what its mapping says",
        files=tuple(files),
        markets=_markets(mapping),
        prices=_prices(mapping, prices) if prices else None,
        books=_books(mapping, books) if books else None,
        trades=_trades(mapping, trades) if trades else None,
        ends=_ends(mapping) if mapping.markets.columns.outcome else None,
    )


def _name(column: str) -> str:
    return '"' + column.replace('"', '""') + '"'


def _id_kind(mapping: Mapping) -> Kind:
    return CONDITION if mapping.ids == "condition" else ID


def _id(mapping: Mapping, column: str) -> str:
    if mapping.ids == "condition":
        return f"'pm:' || lower({_name(column)})"
    return f"'{mapping.source}:' || {_name(column)}::varchar"


def _at(section: Section, column: str | None) -> str:
    """SQL: the instant of a column; null where there is none."""
    return _TIMES[section.time][1].format(c=_name(column)) if column else "null::timestamptz"


def _text(column: str | None) -> str:
    return f"{_name(column)}::varchar" if column else "null::varchar"


def _e6(section: Prices | Books | Trades, column: str | None) -> str:
    return e6(f"{_name(column)} / {_PRICES[section.unit][1]}") if column else "null::integer"


def _columns(*given: tuple[str | None, Kind, bool]) -> tuple[Column, ...]:
    """The columns that are named, each once: one may be two things, such as close and expected close."""
    named: dict[str, Column] = {}
    for name, kind, nullable in given:
        if name:
            named.setdefault(name, Column(name, kind, nullable))
    return tuple(named.values())


def _markets_file(mapping: Mapping) -> File:
    names, time = mapping.markets.columns, _TIMES[mapping.markets.time][0]
    columns = _columns(
        (names.id, _id_kind(mapping), False),
        (names.close, time, False),
        *((name, time, True) for name in (names.expected_close, names.listed, names.label_public)),
        (names.outcome, FLAG, True),
        *((name, TEXT, True) for name in (names.question, names.event, names.category)),
    )
    return File("markets", frozenset(), columns, (names.id,), repeats=mapping.markets.repeats)


def _markets(mapping: Mapping) -> str:
    names = mapping.markets.columns
    outcomes = ", ".join("'" + outcome.replace("'", "''") + "'" for outcome in mapping.outcomes)
    category = "'" + mapping.category.replace("'", "''") + "'" if mapping.category else _text(names.category)
    condition = f"lower({_name(names.id)})" if mapping.ids == "condition" else "null::varchar"
    return f"""
        select {_id(mapping, names.id)} as market_id, {_at(mapping.markets, names.close)} as closed_at,
            {_at(mapping.markets, names.expected_close)} as effective_close,
            case when effective_close is null then 'none' else 'end_date' end as end_source, effective_close as scheduled_end,
            {_at(mapping.markets, names.listed)} as listed_at, '{mapping.venue}' as venue, {condition} as condition_id,
            {_text(names.question)} as question, {_text(names.event)} as event_id, {category} as category, [{outcomes}] as outcomes,
            []::varchar[] as token_ids, false as neg_risk, []::varchar[] as tags, null::varchar as left_out
        from markets
    """


def _ends(mapping: Mapping) -> str:
    names = mapping.markets.columns
    won = f"{_name(names.outcome or '')}::integer"
    close, expected = _at(mapping.markets, names.close), _at(mapping.markets, names.expected_close)
    public = f"coalesce({_at(mapping.markets, names.label_public)}, greatest({close}, {expected}) + {PUBLIC_AFTER})"
    return f"""
        select {_id(mapping, names.id)} as market_id, case when {won} is null then 'open' else 'final' end as state, {won} as label,
            case when {won} is not null then {payouts(f"{won} = 1")} end as payouts_e6,
            {{'dataset': '{mapping.source}', 'field': 'outcome', 'value': {won}}} as evidence,
            case when {won} is null then 'the dataset has no result' else 'the dataset says how it ended' end as reason,
            case when {won} is not null then {public} end as label_seen_at
        from markets
    """


def _prices_file(mapping: Mapping, prices: Prices) -> File:
    names, time, price = prices.columns, _TIMES[prices.time][0], _PRICES[prices.unit][0]
    columns = _columns(
        (names.id, _id_kind(mapping), False),
        (names.time, time, False),
        (names.known, time, False),
        (names.price, price, names.bid is not None or names.ask is not None),
        (names.bid, price, True),
        (names.ask, price, True),
    )
    return File("prices", frozenset(), columns, (names.id, names.time), never=tuple(_too_early(prices)))


def _prices(mapping: Mapping, prices: Prices) -> str:
    names = prices.columns
    bid, ask = _e6(prices, names.bid), _e6(prices, names.ask)
    middle = f"case when {bid} <= {ask} then (({bid} + {ask}) / 2)::integer end"
    return f"""
        select {_id(mapping, names.id)} as market_id, {_at(prices, names.time)} as priced_at,
            {_at(prices, names.known or names.time)} as known_at, {_e6(prices, names.price) if names.price else middle} as price_e6,
            {bid} as bid_e6, {ask} as ask_e6, {prices.spacing_s} as fidelity_s, null::varchar as left_out
        from prices
    """


def _books_file(mapping: Mapping, books: Books) -> File:
    names, time = books.columns, _TIMES[books.time][0]
    price = _PRICES[books.unit][0]
    most = _PRICES[books.unit][1]
    bids, asks = (levels_kind(most, best if books.best_first else None) for best in ("highest", "lowest"))
    columns = _columns(
        (names.id, _id_kind(mapping), False),
        (names.time, time, False),
        (names.known, time, False),
        (names.bids, bids, True),
        (names.asks, asks, True),
        *((name, price, True) for name in _numbered(books, "price")),
        *((name, SIZE, True) for name in _numbered(books, "size")),
    )
    never = (*_unsorted(books), *_too_early(books))
    return File("books", frozenset(), columns, (names.id, names.time), never=never)


def _too_early(section: Prices | Books) -> Iterator[tuple[str, str]]:
    """Rows that say they were known before they were: features would see what was not there yet."""
    known, time = section.columns.known, section.columns.time
    if known:
        yield f"try({_at(section, known)} < {_at(section, time)})", f"have {known} before {time}: nothing is known before it is there"  # fmt: skip


def _numbered(books: Books, what: str) -> Iterator[str]:
    """The numbered columns of prices, or of sizes."""
    for side in ("bid", "ask"):
        yield from _of_side(books, side, what)


def _of_side(books: Books, side: str, what: str) -> list[str]:
    pattern = getattr(books.columns, f"{side}_{what}")
    return [pattern.replace("{n}", str(n)) for n in range(1, (books.levels or 0) + 1)] if pattern else []


def _unsorted(books: Books) -> Iterator[tuple[str, str]]:
    """Books in numbered columns whose levels do not lie best first; of lists `checking` looks itself."""
    if books.best_first and not books.columns.bids:
        for side, worse in (("bid", "<"), ("ask", ">")):
            names = [_name(name) for name in _of_side(books, side, "price")]
            wrong = " or ".join(f"{better} {worse} {next_}" for better, next_ in pairwise(names))
            yield (
                wrong or "false",
                f"have {side}s that do not lie best first: write best_first: false to have them sorted",
            )


def _given(books: Books, side: str) -> str:
    """SQL: the levels of a side as the file gives them."""
    listed = getattr(books.columns, f"{side}s")
    if listed:
        return _name(listed)
    pairs = zip(_of_side(books, side, "price"), _of_side(books, side, "size"), strict=True)
    made = ", ".join(f"{{'price': {_name(price)}, 'size': {_name(size)}}}" for price, size in pairs)
    return f"list_filter([{made}], lambda l: l.price is not null and l.size > 0)"


def _levels(books: Books, side: str) -> str:
    factor = round(1e6 / _PRICES[books.unit][1])
    made = (
        f"list_transform({_given(books, side)}, lambda l: {{'price_e6': round(l.price::double * {factor})::integer, "
        "'size_e6': round(l.size::double * 1e6)::bigint})"
    )
    made = f"coalesce({made}, [])"
    if books.best_first:
        return made
    return f"list_reverse_sort({made})" if side == "bid" else f"list_sort({made})"


def _best(books: Books, side: str) -> str:
    """SQL: the best price of a side, without making millionths of every level."""
    given = _given(books, side)
    if books.best_first:
        return e6(f"({given})[1].price::double / {_PRICES[books.unit][1]}")
    fold = "list_max" if side == "bid" else "list_min"
    return e6(f"{fold}(list_transform({given}, lambda l: l.price))::double / {_PRICES[books.unit][1]}")


def _depth(books: Books) -> str:
    """SQL: how many levels a book has, at most."""
    if books.levels is not None:
        return str(2 * books.levels)
    return " + ".join(f"coalesce(len({_given(books, side)}), 0)" for side in ("bid", "ask"))


def _books(mapping: Mapping, books: Books) -> str:
    names = books.columns
    return f"""
        select {_id(mapping, names.id)} as market_id, {_at(books, names.time)} as booked_at,
            {_at(books, names.known or names.time)} as known_at, {_levels(books, "bid")} as bids, {_levels(books, "ask")} as asks,
            {_best(books, "bid")} as bid_e6, {_best(books, "ask")} as ask_e6, {_depth(books)} as levels, null::varchar as left_out
        from books
    """


def _trades_file(mapping: Mapping, trades: Trades) -> File:
    names, time = trades.columns, _TIMES[trades.time][0]
    columns = _columns(
        (names.id, _id_kind(mapping), False),
        (names.time, time, False),
        (names.price, _PRICES[trades.unit][0], False),
        (names.size, SIZE, False),
        (names.side, SIDE, False),
        (names.outcome, INDEX, False),
    )
    return File("trades", frozenset(), columns, ())


def _trades(mapping: Mapping, trades: Trades) -> str:
    names = trades.columns
    index = f"{_name(names.outcome)}::tinyint" if names.outcome else "0::tinyint"
    return f"""
        select *, (row_number() over (partition by market_id, traded_at order by outcome_index, is_buy, price_e6, size_e6) - 1)::integer as n
        from (
            select {_id(mapping, names.id)} as market_id, {_at(trades, names.time)} as traded_at, {index} as outcome_index,
                lower({_name(names.side)}) = 'buy' as is_buy, {_e6(trades, names.price)} as price_e6,
                round({_name(names.size)} * 1e6)::bigint as size_e6, null::blob as tx_hash, {not trades.complete} as truncated,
                null::varchar as left_out
            from trades
        )
    """
