"""`make ml-real`: is there anything in the real history of `../shared/datasets` that the market's own price does not say?

Every dataset is imported into a lake of its own, its features are computed over their whole span, and one model is trained walk-forward
over all sources. Each source is then judged apart, and where it has the groups, so is a model that saw nothing but this source, on the same
rows. A page for each judgement and `index.html` are written to a folder. The number is what it is. One that is too good to be true
ends the run in a leak audit and exit code 1.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow as pa
import pyarrow.compute as pc
from rich.console import Console
from rich.progress import Progress, track

from drills import real_pages
from drills.processes import PROJECT
from drills.real_judging import Judgement, Source, judged, on_shared_rows, sealed_by_source, sources
from polymarket_assets.history_import import importing
from polymarket_assets.history_import.reporting import Bars
from polymarket_assets.lake import open_existing
from polymarket_assets.lake.spans import DAY, Span, day_of
from polymarket_assets.lake.writing import Lake
from polymarket_assets.learning import training, training_set
from polymarket_assets.learning.audit import report as leak_report
from polymarket_assets.learning.audit.audited import Audit
from polymarket_assets.learning.errors import TooLittleToLearn
from polymarket_assets.learning.evidence.history import publish_history_days
from polymarket_assets.learning.training import Trained
from polymarket_assets.venue.errors import PolymarketError

DATASETS = Path(os.environ.get("DATASETS_DIR", PROJECT.parent / "shared" / "datasets"))
OUT = PROJECT / "data" / "real"
# A model of one source needs enough groups to walk through; below this it says the price and nothing is learnt from that.
LEAST_GROUPS_ALONE = 150
# Rows of features that the audit computes again.
AUDITED = 10
WIDTH = 170
EVERY = "all sources"


def main(arguments: list[str] | None = None) -> int:
    """Run; 1 where a figure is too good to be true, 2 where there is nothing to run on."""
    asked, console = _parser().parse_args(arguments), Console(width=None if sys.stdout.isatty() else WIDTH)
    try:
        with _lake(asked.lake, asked.datasets, console) as lake:
            return run(lake, asked.only, asked.datasets, asked.out, console)
    except PolymarketError as e:
        console.print(f"[red]{e}[/]", highlight=False)
        return 2


def run(lake: Lake, only: list[str], datasets: Path, out: Path, console: Console) -> int:
    """Train, judge and write; 1 where a judgement is suspicious."""
    now = datetime.now(UTC)
    rows = training_set.build(lake, now=now).rows
    rows = rows.filter(pc.is_in(rows.column("source"), pa.array(only))) if only else rows
    known = sources(rows, datasets)
    judgements = list(_judgements(rows, known, console))
    console.print(real_pages.shown(known, judgements))
    console.print(f"pages: {real_pages.write(known, judgements, out)}", highlight=False, soft_wrap=True)
    if not (suspects := [one for one in judgements if one.is_suspicious]):
        return 0
    told = ", ".join(f"{one.source} ({one.called})" for one in suspects)
    console.print(f"[red]too good to be true: {told}; the run stops here for the leak audit[/]")
    leak_report.run(Audit(lake, now, AUDITED), console)
    return 1


def _judgements(rows: pa.Table, known: list[Source], console: Console) -> Iterator[Judgement]:
    """Of the model over all, all and by source, then of each source's own; the first suspicion ends them."""
    over_all = _trained(rows, EVERY, console)
    found = sealed_by_source(over_all.out_of_fold, rows)
    yield (every := judged(EVERY, "over all", over_all.out_of_fold, over_all))
    by_source = {source.name: found.filter(pc.equal(found.column("source"), source.name)) for source in known}
    alone = {}
    firsts = {name: judged(name, "over all", part, over_all) for name, part in by_source.items()}
    if not any(one.is_suspicious for one in (every, *firsts.values())):
        alone = {source.name: _alone(rows, source, console) for source in known}
    for name, part in by_source.items():
        yield from on_shared_rows(firsts[name], part, over_all, alone.get(name))


def _alone(rows: pa.Table, source: Source, console: Console) -> Trained | str:
    """A model of one source, or why there is none."""
    if source.groups < LEAST_GROUPS_ALONE:
        return f"{source.groups} groups, {LEAST_GROUPS_ALONE} are needed for a model alone"
    try:
        return _trained(rows.filter(pc.equal(rows.column("source"), source.name)), source.name, console)
    except TooLittleToLearn as e:
        return str(e)


def _trained(rows: pa.Table, called: str, console: Console) -> Trained:
    with Progress(console=console, transient=True) as progress:
        task = progress.add_task(f"walking through {called}", total=None)
        return training.train(rows, on_fold=lambda done, of: progress.update(task, completed=done, total=of))


@contextmanager
def _lake(root: str | None, datasets: Path, console: Console) -> Iterator[Lake]:
    """The lake that is named, as it stands, or a temporary one with every dataset and its features."""
    with nullcontext(root) if root else TemporaryDirectory(prefix="real-") as folder:
        yield open_existing(root) if root else _imported(Lake(folder), datasets, console)


def _imported(lake: Lake, datasets: Path, console: Console) -> Lake:
    with Bars(console) as bars:
        done = importing.run(lake, [datasets], clock=lambda: datetime.now(UTC), progress=bars).datasets
    first, last = ([at for at in ends if at] for ends in zip(*((e.first_price_at, e.last_close_at) for e in done if e.first_price_at), strict=True))  # fmt: skip
    start, end = day_of(min(first)), day_of(max(last))
    span = Span(start, end + DAY)
    written = track(publish_history_days(lake, span), "computing features", total=(span.end - span.start).days, console=console, transient=True)  # fmt: skip
    console.print(f"{sum(each.rows for each in written):,} rows of features from {start:%Y-%m-%d} to {end:%Y-%m-%d}")  # fmt: skip
    return lake


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m drills.real", description=__doc__)
    parser.add_argument("--datasets", type=Path, default=DATASETS, help="folder of datasets; default: DATASETS_DIR")  # fmt: skip
    parser.add_argument("--lake", help="a lake that holds them and their features already; it is only read")
    parser.add_argument("--only", nargs="*", default=[], metavar="SOURCE", help="train on and judge these sources alone")  # fmt: skip
    parser.add_argument("--out", type=Path, default=OUT, help="folder of the pages (%(default)s)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
