"""The endpoints of `console.database`: tables, rows, downloads, SQL."""

from __future__ import annotations

import dataclasses
from collections.abc import AsyncIterator, Generator, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Annotated, Any, Literal, cast

import msgspec
from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field
from starlette.concurrency import iterate_in_threadpool

from console.database import asked as asking
from console.database import described, downloading, filters, gate, held, querying, rows
from console.database.described import ColumnSaid
from console.endpoints import Here


class Said(BaseModel):
    """Why there is no answer: a sentence, or what is wrong with each parameter; `again`: whether to ask again."""

    detail: str | list[Any]
    again: bool = False


_REFUSED: dict[int | str, dict[str, Any]] = {
    404: {"model": Said, "description": "There is no such table"},
    422: {"model": Said, "description": "The question cannot be answered"},
    503: {
        "model": Said,
        "description": "The lake is away, damaged or not named, or others are being answered",
    },
}
router = APIRouter(prefix="/api/database", tags=["database"], responses=_REFUSED)

Name = Annotated[
    str, Path(description="A table, as /api/database/tables lists them", min_length=1, max_length=64)
]
_SINCE = Query(alias="from", description="First instant, ISO 8601, of the column that files the table; without a zone it is UTC", max_length=40)  # fmt: skip
_UNTIL = Query(alias="to", description="First instant left out", max_length=40)
_WHERE = Query(description=f"A condition, {filters.FORM}; repeated ones all hold. `contains` asks for part of a text or list, without case; null differs from every value", max_length=filters.MOST)  # fmt: skip
Since = Annotated[str | None, _SINCE]
Until = Annotated[str | None, _UNTIL]
Where = Annotated[list[Annotated[str, Field(max_length=filters.MOST_CHARACTERS)]] | None, _WHERE]


@dataclass(frozen=True)
class TableHeld(described.Form):
    """What a table declares, and what the lake holds of it; `problem`: why it could not be read."""

    rows: int
    files: int
    bytes: int
    first: datetime | date | None
    last: datetime | date | None
    problem: str | None


@dataclass(frozen=True)
class Tables:
    """Every table; `at` is when the lake was looked at, `problem` why a look since then failed."""

    at: datetime
    problem: str | None
    tables: list[TableHeld]


@dataclass(frozen=True)
class Looked:
    """The span whose files were looked at: rows outside it may exist."""

    start: datetime
    end: datetime


@dataclass(frozen=True)
class Rows:
    """A page of rows. `next`: the parameters that ask for what follows, if anything does."""

    table: str
    columns: list[ColumnSaid]
    sort: str | None
    descending: bool
    looked: Looked | None
    files: int
    next: dict[str, Any] | None
    rows: list[dict[str, Any]]


class Question(BaseModel):
    """SQL: one SELECT over the tables of the lake."""

    sql: str = Field(description="One SELECT", max_length=gate.MOST_CHARACTERS, examples=["select count(*) from trades"])  # fmt: skip
    limit: int = Field(1_000, ge=1, le=querying.MOST_ROWS, description="Rows at the most")
    since: str | None = Field(None, alias="from", max_length=40, description="With `to`: only files of hours or days of this span are read")  # fmt: skip
    until: str | None = Field(None, alias="to", max_length=40, description="First instant left out")


@router.get("/tables")
def tables(place: Here) -> Tables:
    """Every table of the lake with its columns, rows, files, bytes and span, as of the last look some seconds ago."""
    seen = held.seen(place)
    problem = str(seen.error) if seen.error else None
    found = [_table(place, one) for one in seen.value]
    return Tables(seen.at, problem, found)


def _table(place: Here, one: held.Held) -> TableHeld:
    form = described.form(asking.table_of(one.name), place.settings)
    return TableHeld(**{**vars(form), **dataclasses.asdict(one)})


@router.get("/tables/{name}", response_model=Rows)
def table_rows(
    place: Here,
    name: Name,
    since: Since = None,
    until: Until = None,
    where: Where = None,
    sort: Annotated[str | None, Query(description="A column; by default the one that files the table", max_length=64)] = None,
    descending: Annotated[bool, Query(description="Largest or newest first")] = True,
    limit: Annotated[int, Query(description="Rows at the most", ge=1, le=asking.MOST_ROWS)] = 100,
    offset: Annotated[int, Query(description="Rows to pass over", ge=0, le=asking.MOST_OFFSET)] = 0,
) -> Response:  # fmt: skip
    """Rows of a table, the newest first unless asked otherwise. Sorted by another column, or with conditions, a bounded span is looked at: the answer says which."""
    of = asking.asked(name, since=since, until=until, where=where or (), sort=sort, descending=descending, limit=limit, offset=offset)  # fmt: skip
    found = rows.found(place, of)
    looked = Looked(found.span.start, found.span.end) if found.span else None
    following = {key: _plain(value) for key, value in found.next.items()} if found.next else None
    said = Rows(name, described.columns(of.table), of.by, of.descending, looked, found.files, following, [msgspec.Raw(row.encode()) for row in found.rows])  # type: ignore[misc]  # fmt: skip
    return Response(msgspec.json.encode(said), media_type="application/json")


def _plain(value: Any) -> Any:
    return value.astimezone(UTC).isoformat().replace("+00:00", "Z") if isinstance(value, datetime) else value


@router.get("/tables/{name}/download", response_class=StreamingResponse, responses={200: {"description": f"A file of {downloading.MOST_ROWS:,} rows at the most, the newest hours or days first", "content": {kind.split(";")[0]: {} for kind in downloading.FORMATS.values()}}})  # fmt: skip
def download(
    request: Request,
    place: Here,
    name: Name,
    format: Annotated[Literal["csv", "parquet"], Query(description="Of the file")] = "csv",
    since: Since = None,
    until: Until = None,
    where: Where = None,
) -> StreamingResponse:
    """Rows of a table as a file, made while it is sent; the newest hours or days first, the rows of one in the order of its files. Text that a spreadsheet would calculate has an apostrophe before it."""
    pieces = downloading.pieces(
        place, asking.asked(name, since=since, until=until, where=where or ()), format
    )
    first = next(pieces, b"")
    headers = {"Content-Disposition": f'attachment; filename="{name}.{format}"'}
    return StreamingResponse(
        _sent(request, first, pieces), media_type=downloading.FORMATS[format], headers=headers
    )


async def _sent(request: Request, first: bytes, others: Iterator[bytes]) -> AsyncIterator[bytes]:
    """The pieces, one made when the last was sent; who goes away gives the place back at once."""
    try:
        yield first
        async for piece in iterate_in_threadpool(others):
            if await request.is_disconnected():
                return
            yield piece
    finally:
        cast(Generator[bytes, None, None], others).close()


@router.post("/query", responses={400: {"model": Said, "description": "It is no JSON"}})
def query(place: Here, question: Question) -> querying.Answer:
    """What one SELECT gives: read-only, bounded in time, memory and rows, in a process of its own without files, network or settings. A table's rows of open hours count."""
    return querying.answer(place, question.sql, limit=question.limit, since=question.since, until=question.until)  # fmt: skip
