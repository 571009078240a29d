"""`python -m drills.labels [FILE …]`: what the strict rule makes of closed markets as the catalogue wrote them; `--lake ROOT` of a lake.

Files are Parquet with a column per field, JSON, or lines of JSON, with rows of the catalogue anywhere in them. Each row is read as the
platform reads it and judged by the catalogue's word alone; labels are held against the final prices, read apart from the
parser, and against who won by another source where one lies beside the file. Ends with 1 where a label is wrong.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
from rich.console import Console
from rich.table import Table

from drills.processes import PROJECT
from polymarket_assets.collecting import label_census, settlement
from polymarket_assets.collecting.label_census import Line
from polymarket_assets.collecting.settlement import Decision, Evidence
from polymarket_assets.lake import open_lake
from polymarket_assets.venue import parse
from polymarket_assets.venue.errors import MalformedPayload

DATASETS = Path(os.environ.get("DATASETS_DIR", PROJECT.parent / "shared" / "datasets"))
STANDARD = "gamma_markets_2024.parquet"
# Who won by other sources, by condition and token.
OTHERS = "resolved_index.parquet"
WIDTH = 160
_LABELS = {("1", "0"): 1, ("0", "1"): 0}
Row = dict[str, Any]


@dataclass
class Judged:
    """The rows of one file, judged; `other` are labels that another source has too."""

    name: str
    decisions: list[Decision] = field(default_factory=list)
    unreadable: list[str] = field(default_factory=list)
    against_prices: list[str] = field(default_factory=list)
    other: int = 0
    against_other: list[str] = field(default_factory=list)

    @property
    def labelled(self) -> int:
        return sum(decision.label is not None for decision in self.decisions)

    @property
    def wrong(self) -> list[str]:
        return [*self.against_prices, *self.against_other]


def judge(file: Path) -> Judged:
    """Every row of a file by the strict rule."""
    judged, others = Judged(file.name), _others(file.parent / OTHERS)
    for row in rows(file):
        try:
            end = parse.market_end(row)
        except MalformedPayload as e:
            judged.unreadable.append(str(e))
            continue
        decision = settlement.decide(Evidence(end))
        judged.decisions.append(decision)
        if decision.label is None:
            continue
        if decision.label != label_of(row):
            judged.against_prices.append(f"{end.condition_id}: {decision.reason}, but its prices are {row.get('outcomePrices')}")  # fmt: skip
        won = others.get(end.condition_id, {}).get(end.token_ids[0])
        judged.other += won is not None
        if won is not None and won != decision.label:
            judged.against_other.append(f"{end.condition_id}: labelled {decision.label}, by {OTHERS} {won}")
    return judged


def decided(found: Iterable[Row]) -> list[Decision]:
    """The decision for each row. Raises `MalformedPayload`."""
    return [settlement.decide(Evidence(parse.market_end(row))) for row in found]


def label_of(row: Row) -> int | None:
    """What a row's final prices name, read apart from the parser."""
    return _LABELS.get(tuple(json.loads(row["outcomePrices"])))


def rows(file: Path) -> Iterator[Row]:
    """Rows of the catalogue in a file."""
    if file.suffix == ".parquet":
        for batch in pq.ParquetFile(file).iter_batches():
            for row in batch.to_pylist():
                # The wire leaves out what a column has to hold as null.
                yield {name: value for name, value in row.items() if value is not None}
        return
    text = file.read_text()
    try:
        told = [json.loads(text)]
    except json.JSONDecodeError:
        told = [json.loads(line) for line in text.splitlines() if line.strip()]
    yield from _within(told)


def _within(value: Any) -> Iterator[Row]:
    if isinstance(value, dict) and "conditionId" in value and "outcomes" in value:
        yield value
    elif isinstance(value, dict | list):
        for each in value.values() if isinstance(value, dict) else value:
            yield from _within(each)


def _others(file: Path) -> dict[str, dict[str, int]]:
    """Who won by another source: condition -> token -> 1 or 0."""
    if not file.exists():
        return {}
    found: dict[str, dict[str, int]] = {}
    table = pq.read_table(file, columns=["condition_id", "token_id", "outcome"]).to_pylist()
    for row in table:
        if row["condition_id"] and row["token_id"] and row["outcome"] in (0, 1):
            found.setdefault(row["condition_id"], {})[row["token_id"]] = int(row["outcome"])
    return found


def table(title: str, lines: list[Line]) -> Table:
    """The census as a table for a terminal."""
    shown = Table("source", "state", "rule", title=title)
    for name in ("markets", "label 1", "label 0"):
        shown.add_column(name, justify="right")
    shown.add_column("for example")
    for each in lines:
        numbers = (f"{n:,}" for n in (each.markets, each.ones, each.zeros))
        shown.add_row(each.source, each.state, each.rule, *numbers, each.example)
    return shown


def _told(judged: Judged) -> Iterator[str]:
    declined = len(judged.decisions) - judged.labelled
    yield f"{judged.name}: {len(judged.decisions):,} rows, {judged.labelled:,} labelled, {declined:,} declined, {len(judged.unreadable):,} unreadable"
    yield f"labels that differ: {len(judged.against_prices):,} from their final prices; of {judged.other:,} markets that another source knows, {len(judged.against_other):,} from it"
    yield from (f"  {each}" for each in (judged.unreadable + judged.wrong)[:10])


def main() -> int:
    """Print a census of each file, or of a lake; 1 where a label is wrong."""
    asked = _parser().parse_args()
    console = Console(width=None if sys.stdout.isatty() else WIDTH)
    if asked.lake:
        lines = label_census.census(open_lake(asked.lake), now=datetime.now(UTC))
        console.print(table(f"Labels of {asked.lake}", lines))
        return 0
    wrong = 0
    for file in asked.files or [DATASETS / STANDARD]:
        if not file.exists():
            print(
                f"{file} is absent: name a file of closed markets as the catalogue writes them, or --lake ROOT"
            )
            return 1
        judged = judge(file)
        console.print(table(file.name, label_census.of(judged.decisions, "catalogue")))
        print("\n".join(_told(judged)))
        wrong += len(judged.wrong)
    return 1 if wrong else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m drills.labels", description=__doc__.partition("\n")[0])
    parser.add_argument("files", nargs="*", type=Path, help=f"default: {STANDARD} of DATASETS_DIR")
    parser.add_argument("--lake", metavar="ROOT", help="the newest version of every market of a lake")
    return parser


if __name__ == "__main__":
    sys.exit(main())
