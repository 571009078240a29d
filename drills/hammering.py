"""`python -m drills.hammering ROLE ROOT BEGAN UNTIL`: one process of the readers' drill.

Time runs fast: an hour of the lake's lasts `HOUR_S`. The writer publishes slots and notes each in a ledger once it is
there; the keeper compacts, moves and removes; readers query without a pause, and whatever the ledger knew before a
query must be in its answer, each row once and whole.
"""

from __future__ import annotations

import json
import random
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa

from polymarket_assets import lake as lake_package
from polymarket_assets.collecting.accounts import part_of
from polymarket_assets.lake import keeping
from polymarket_assets.lake.keeping import Rules
from polymarket_assets.lake.schemas import TABLES
from polymarket_assets.lake.spans import HOUR
from polymarket_assets.lake.writing import Lake

# Hours become one every two seconds, each of thirty slots.
HOUR_S, SLOT = 2.0, timedelta(minutes=2)
MARKETS, LEVELS = 40, 20
FIRST = datetime(2026, 11, 2, 0, tzinfo=UTC)
TABLE, TIER = "orderbooks", "t4"
# A reader may hold names for this long, in seconds of ours: what 15 minutes are in the lake's own time.
HELD_S = 6.0
# Hours move to cold storage, and days are over, within a drill of a minute.
COLD_AFTER = 8 * HOUR
RETENTION_DAYS = 2
# One slot in so many is published an hour late, and one again.
_LATE_EVERY, _AGAIN_EVERY = 30, 7
_SHOWN = 5

# Slot number -> rows, markets, sum of the first levels' sizes.
Answer = dict[int, tuple[int, int, int]]


@dataclass
class Heard:
    """What a reader met."""

    queries: int = 0
    slots: int = 0
    errors: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)


class Time:
    """The lake's clock: `began` is the instant of ours at which it showed `FIRST`."""

    def __init__(self, began: float) -> None:
        self._began = began

    def __call__(self) -> datetime:
        return FIRST + HOUR * ((time.time() - self._began) / HOUR_S)


def slot_at(slot: int) -> datetime:
    """The instant of a slot."""
    return FIRST + SLOT * slot


def books(slot: int) -> pa.Table:
    """The rows of a slot: always the same."""
    size = [{"price_e6": 10_000 * n, "size_e6": slot * 1000 + n} for n in range(1, LEVELS + 1)]
    row = {"slot_at": slot_at(slot), "received_at": slot_at(slot), "token_id": "1", "bids": size, "asks": size, "hash": "h"}  # fmt: skip
    return pa.Table.from_pylist(
        [{**row, "market_id": f"pm:0x{n}"} for n in range(MARKETS)], schema=TABLES[TABLE].schema
    )


def write(root: Path, now: Time, until: float) -> None:
    """Publish slots as they come; some late, some twice."""
    lake = Lake(root / "lake")
    late: list[int] = []
    slot = 0
    with (root / "ledger").open("a") as ledger:
        while time.time() < until:
            if slot_at(slot) > now():
                time.sleep(HOUR_S / 200)
                continue
            if slot % _LATE_EVERY == 3:
                late.append(slot)
            else:
                _publish(lake, ledger, slot)
            if slot % _AGAIN_EVERY == 1 and slot_at(slot).hour == now().hour:
                _publish(lake, ledger, slot)
            while late and slot_at(late[0]) + 2 * HOUR < now():
                _publish(lake, ledger, late.pop(0))
            slot += 1


def _publish(lake: Lake, ledger: object, slot: int) -> None:
    lake.publish(TABLE, books(slot), part=part_of(slot_at(slot)), at=slot_at(slot), tier=TIER)
    print(slot, file=ledger, flush=True)  # type: ignore[call-overload]


def keep(root: Path, now: Time, until: float) -> None:
    """Look after the lake again and again, as the job of every hour does."""
    rules = Rules({TABLE: RETENTION_DAYS}, str(root / "cold"), COLD_AFTER)
    held = HOUR * (HELD_S / HOUR_S)
    with (root / "kept").open("a") as told:
        while time.time() < until:
            done = keeping.keep(Lake(root / "lake"), rules, clock=now, kept=held)
            moved = done.moved.folders if done.moved else 0
            report = {"compacted": done.compacted.folders, "moved": moved, "retired": done.retired.folders, "failed": done.failed}  # fmt: skip
            print(json.dumps(report), file=told, flush=True)


def duckdb_answer(root: Path, dice: random.Random) -> Answer:
    """Through `lake.connect()`; some time passes between opening and asking, as it does for people."""
    connection = lake_package.connect(root / "lake")
    time.sleep(dice.uniform(0, HELD_S / 3))
    found = connection.sql(
        f"select epoch_us(slot_at), count(*), count(distinct market_id), sum(bids[1].size_e6)::bigint from {TABLE} group by 1"
    ).fetchall()
    return {_slot(at): (rows, markets, size) for at, rows, markets, size in found}


def polars_answer(root: Path, dice: random.Random) -> Answer:
    """Through `lake.files()`."""
    import polars as pl

    files = lake_package.files(TABLE, root=root / "lake")
    time.sleep(dice.uniform(0, HELD_S / 3))
    if not files:
        return {}
    first = pl.col("bids").list.first().struct.field("size_e6")
    found = pl.scan_parquet(files).group_by("slot_at").agg(pl.len(), pl.col("market_id").n_unique(), first.sum().alias("size")).collect()  # fmt: skip
    return {
        _slot(int(at.timestamp() * 1_000_000)): (rows, markets, size)
        for at, rows, markets, size in found.rows()
    }


def _slot(at_us: int) -> int:
    return round((at_us - FIRST.timestamp() * 1_000_000) / (SLOT / timedelta(microseconds=1)))


def read(
    root: Path, now: Time, until: float, answer: Callable[[Path, random.Random], Answer], seed: int
) -> Heard:
    """Query until the end and compare each answer with what the ledger knew before it."""
    heard, dice = Heard(), random.Random(seed)
    while time.time() < until:
        known = ledger(root)
        heard.queries += 1
        try:
            found = answer(root, dice)
        except Exception as e:  # noqa: BLE001  whatever a reader meets is what is looked for
            heard.errors.append(f"{type(e).__name__}: {e}")
            continue
        heard.slots = max(heard.slots, len(found))
        heard.wrong += list(_wrong(known, found, now()))[:_SHOWN]
    return heard


def ledger(root: Path) -> set[int]:
    """The slots that are there by now."""
    try:
        lines = (root / "ledger").read_text().splitlines(keepends=True)
    except FileNotFoundError:
        return set()
    return {int(line) for line in lines if line.endswith("\n")}


def _wrong(known: set[int], found: Answer, now: datetime) -> Iterator[str]:
    """What an answer lacks, doubles or invents; hours past their days may be there or not, but whole."""
    for slot, (rows, markets, size) in found.items():
        if (rows, markets, size) != (MARKETS, MARKETS, MARKETS * (slot * 1000 + 1)):
            yield f"slot {slot}: {rows} rows of {markets} markets, sizes {size}"
    for slot in sorted(known - found.keys()):
        if now - slot_at(slot) < timedelta(days=RETENTION_DAYS):
            yield f"slot {slot} is missing"


def main(role: str, root: Path, began: float, until: float, seed: int) -> None:
    """Play a role until the end; readers print what they met as JSON."""
    now = Time(began)
    if role == "writer":
        write(root, now, until)
    elif role == "keeper":
        keep(root, now, until)
    else:
        answer = {"duckdb": duckdb_answer, "polars": polars_answer}[role]
        print(json.dumps(asdict(read(root, now, until, answer, seed))))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), float(sys.argv[3]), float(sys.argv[4]), int(sys.argv[5]))
