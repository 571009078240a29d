"""`python -m drills.features`: every feature of a recorded lake, computed by the platform and once more by plain Python.

Instants are drawn at random, at sweeps and next to them. The slow way (`polymarket_assets_tests.learning.slowly`) reads the
same rows and shares no join and no sum with the fast one. Counts must be equal, reals to 1e-9. It holds the whole lake in memory,
and knows neither the thirty days after which metadata are not looked for nor hours whose messages were removed: it fits a demo, or a lake of some days.
"""

from __future__ import annotations

import argparse
import random
import sys
from collections import Counter
from datetime import timedelta
from typing import Any

import pyarrow as pa
from rich.console import Console
from rich.progress import track
from rich.table import Table

from polymarket_assets.lake import open_existing, reading
from polymarket_assets.lake.errors import LakeError
from polymarket_assets.lake.writing import Lake
from polymarket_assets.learning.audit.audited import is_same
from polymarket_assets.learning.evidence.recorded import at_instants
from polymarket_assets.learning.features.catalogue import GROUPS
from polymarket_assets_tests.learning.slowly import Slow

INSTANTS = 1_000
_NEAR_S = 90.0
Row = dict[str, Any]
_WANTED = pa.schema([("market_id", pa.string()), ("as_of", pa.timestamp("us", tz="UTC"))])


def drawn(lake: Lake, count: int, seed: int) -> pa.Table:
    """Instants of markets that were sampled: of the sweep itself, a microsecond beside it, and up to a minute and a half off."""
    dice = random.Random(seed)
    sampled = reading.rows(lake, "snapshots").select(["market_id", "received_at"]).to_pylist()
    found = [
        {"market_id": row["market_id"], "as_of": row["received_at"] + timedelta(seconds=dice.choice([0.0, 1e-6, -1e-6, dice.uniform(-_NEAR_S, _NEAR_S)]))}
        for row in dice.sample(sampled, min(count, len(sampled)))
    ]  # fmt: skip
    return pa.Table.from_pylist(found, _WANTED)


def compared(lake: Lake, wanted: pa.Table) -> tuple[int, Counter[str], dict[str, str]]:
    """How many rows there are, in how many each feature is known, and of features that differ an example.

    A row that only one of the ways has counts as a difference of `row`.
    """
    fast = {(row["market_id"], row["as_of"]): row for row in at_instants(lake, wanted).to_pylist()}
    slow, known, differing = Slow(lake), Counter[str](), dict[str, str]()
    for key in track({(row["market_id"], row["as_of"]) for row in wanted.to_pylist()}, "Computing slowly"):
        told, found = slow.features(*key), fast.get(key)
        if told is None or found is None:
            if (told is None) != (found is None):
                differing["row"] = (
                    f"{key}: {'only the fast way' if told is None else 'only the slow way'} has it"
                )
            continue
        known.update(name for name in told if found[name] is not None)
        differing |= {name: f"{key}: {value} slowly, {found[name]} fast" for name, value in told.items() if not is_same(value, found[name])}  # fmt: skip
    return len(fast), known, differing


def shown(rows: int, known: Counter[str], differing: dict[str, str]) -> Table:
    """A line for each group of features."""
    table = Table("group", "features", "values compared", "never known", "differ", title=f"{rows:,} rows, computed twice")  # fmt: skip
    for group, features in GROUPS.items():
        names = [feature.name for feature in features]
        never = [name for name in names if not known[name]]
        wrong = [name for name in names if name in differing]
        table.add_row(group, str(len(names)), f"{sum(known[name] for name in names):,}", ", ".join(never) or "–", ", ".join(wrong) or "–")  # fmt: skip
    return table


def main() -> int:
    """Compare, tell, and exit with 1 where anything differs."""
    parser = argparse.ArgumentParser(prog="python -m drills.features", description=__doc__)
    parser.add_argument(
        "--root", default="data/demo/lake", help="the lake; default: the one of the last demo"
    )
    parser.add_argument("--instants", type=int, default=INSTANTS)
    parser.add_argument("--seed", type=int, default=1)
    given, console = parser.parse_args(), Console()
    try:
        lake = open_existing(given.root)
    except LakeError as e:
        console.print(f"[red]{e}[/]")
        return 2
    rows, known, differing = compared(lake, drawn(lake, given.instants, given.seed))
    console.print(shown(rows, known, differing))
    for name, example in differing.items():
        console.print(f"[red]{name}[/] differs, for example at {example}")
    if not rows:
        console.print("[red]No row to compare: nothing was sampled in this lake.[/]")
    return 1 if differing or not rows else 0


if __name__ == "__main__":
    sys.exit(main())
