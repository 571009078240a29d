"""Which parser each recorded file is for, and the rows in it: a new file without a row here fails a test."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from polymarket_assets.venue import frames, parse
from polymarket_assets_tests.conftest import SHARED

# Also where tests are named by file, before any fixture; it may be absent.
FOLDER = Path(os.environ.get("RECORDED_DIR", SHARED / "polymarket" / "recorded"))

Rows = Callable[[Any], Iterator[Any]]


def itself(document: Any) -> Iterator[Any]:
    yield document


def each(document: Any) -> Iterator[Any]:
    yield from document


def data(document: Any) -> Iterator[Any]:
    yield from document["data"]


def key(name: str) -> Rows:
    return lambda document: iter([document[name]])


def markets(document: Any) -> Iterator[Any]:
    """Every catalogue row of a document, however deep in events and wrappers it lies."""
    if isinstance(document, dict):
        if "conditionId" in document and "question" in document:
            yield document
        for value in document.values():
            yield from markets(value)
    elif isinstance(document, list):
        for value in document:
            yield from markets(value)


def points(document: Any) -> Iterator[Any]:
    for market in document["markets"]:
        for bucket in market["buckets"]:
            yield from bucket["history"]


def heard(document: Any) -> Iterator[Any]:
    """The text of a message out of a recorder's line; what was sent is not heard."""
    if document.get("dir", "recv") == "recv":
        yield document["payloadUtf8" if "payloadUtf8" in document else "data"]


def as_text(document: Any) -> Iterator[Any]:
    yield json.dumps(document)


@dataclass(frozen=True)
class Form:
    """How the files of a pattern are read."""

    pattern: str
    parser: Callable[[Any], Any] | None
    rows: Rows = itself


# The first pattern that fits counts. `None`: no part of the venue that the platform reads.
FORMS: tuple[Form, ...] = (
    Form("gamma/docs_example_market_v2_fragment.json", None),  # lacks its identity; see test_parse_gamma
    Form("gamma/tags_list.json", None),
    Form("gamma/*", parse.listing, markets),
    Form("clob/book_*", parse.book),
    Form("clob/books_*", parse.book, each),
    Form("clob/clob_markets_compact_fed*", parse.clob_market, each),
    Form("clob/clob_markets_compact_v*", parse.clob_market),
    Form("clob/market_*", parse.clob_market),
    Form("clob/markets_page_*", parse.clob_market, data),
    Form("clob/prices_history_v1_*", parse.price_point, points),
    Form("data/v1_activity_trades_*", parse.trade, each),
    Form("data/v2_trades_btc15m_page1_*", parse.trade, data),
    Form("data/v2_trades_global_rows_*", parse.trade, each),
    Form("data/v2_prices_history_*", parse.price_point, data),
    Form("data/v2_resolutions_rows_*", parse.resolution_row, each),
    Form("data/v2_resolutions_*", parse.resolution_row, data),
    Form("data/v2_holders_*", None),
    Form("data/v2_live_volume_*", None),
    Form("ws/market_frames_*", frames.parse, heard),
    Form("ws/market_session_*", frames.parse, heard),
    Form("ws/*", frames.parse, as_text),
    Form("rtds/*", None),  # another socket
    Form("response_shapes_*", None),  # names of fields, no payloads
)


def form_of(name: str) -> Form | None:
    return next((form for form in FORMS if fnmatch(name, form.pattern)), None)


def files(recorded: Path) -> list[str]:
    """Every recorded payload file, by its path inside the folder."""
    return sorted(
        path.relative_to(recorded).as_posix()
        for path in recorded.rglob("*")
        if path.suffix in (".json", ".jsonl", ".ndjson")
    )


def documents(path: Path) -> list[Any]:
    text = path.read_text()
    lines = text.splitlines() if path.suffix in (".jsonl", ".ndjson") else [text]
    return [json.loads(line) for line in lines]


def rows(recorded: Path, name: str) -> list[Any]:
    """The rows of a file as its parser takes them."""
    form = form_of(name)
    assert form is not None, f"{name}: no row of FORMS says how it is read"
    return [row for document in documents(recorded / name) for row in form.rows(document)]
