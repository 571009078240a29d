"""The drill of real data: which rows of a source are open, what two models of it are compared on, and when it stops."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from rich.console import Console

from drills import real, real_judging, real_pages
from drills.real_judging import ALONE, OVER_ALL, judged, on_shared_rows, sealed_by_source, sources
from polymarket_assets.lake.writing import Lake
from polymarket_assets.learning import out_of_fold
from polymarket_assets.learning.explained import Explained
from polymarket_assets.learning.served import Correction, Shrinkage
from polymarket_assets.learning.training import Trained
from polymarket_assets_tests.learning.commands.lakes import ENCODING, filled
from polymarket_assets_tests.learning.synthetic import training_rows

NOWHERE = Path("nowhere")


def said(rows: pa.Table, shift: float = 0.0) -> Trained:
    """What a model says of labelled rows: the price, `shift` of the way to the outcome."""
    mid, label = (rows.column(name).to_numpy().astype(float) for name in ("mid", "label"))
    columns: dict[str, Any] = {name: rows.column(name) for name in out_of_fold.SCHEMA.names if name in rows.column_names}  # fmt: skip
    columns |= {"probability": mid + shift * (label - mid), "is_sealed": np.zeros(len(mid), bool)}
    table = pa.table({name: columns.get(name, pa.nulls(len(mid))) for name in out_of_fold.SCHEMA.names})
    return Trained(
        table.cast(out_of_fold.SCHEMA), Correction((), ENCODING, Shrinkage(0.0)), Explained(), {}, ()
    )


def named(rows: pa.Table, source: str, later: timedelta = timedelta(0)) -> pa.Table:
    """Rows of another source, and of markets of its own, some time later."""
    frame = rows.to_pandas().assign(source=source)
    for name in ("market_id", "group_id", "event_id"):
        frame[name] = frame[name] + source
    for name in ("as_of", "scheduled_end", "label_seen_at", "group_over_at", "week_complete_at"):
        frame[name] = frame[name] + later
    return pa.Table.from_pandas(frame, rows.schema, preserve_index=False)


@pytest.fixture(scope="module")
def rows() -> pa.Table:
    """A source of twelve weeks, and one of three that begins when the first is over: whole within the last fifth of them all."""
    long, short = training_rows(120, days=84), training_rows(60, days=21, seed=1)
    return pa.concat_tables([named(long, "long"), named(short, "short", timedelta(days=84))])


def test_each_source_is_sealed_by_its_own_weeks(rows: pa.Table) -> None:
    """By the weeks of all together the short one would be closed whole."""
    found = sealed_by_source(said(rows).out_of_fold, rows)
    shares = {name: pc.mean(found.filter(pc.equal(found.column("source"), name)).column("is_sealed").cast(pa.int8())).as_py() for name in ("long", "short")}  # fmt: skip
    assert shares["short"] == 0
    assert 0.1 < shares["long"] < 0.3
    first, last = (source.sealed_from for source in sources(rows, NOWHERE))
    closed = found.filter(found.column("is_sealed")).column("as_of")
    assert last is None
    assert pc.min(closed).as_py() >= first


def test_two_models_are_compared_on_what_both_were_asked(rows: pa.Table) -> None:
    over_all, alone = said(rows), said(rows.slice(60), 0.01)
    both = list(on_shared_rows(judged("s", OVER_ALL, over_all.out_of_fold, over_all), over_all.out_of_fold, over_all, alone))  # fmt: skip
    assert [one.called for one in both] == [OVER_ALL, ALONE]
    assert [one.evaluation.overall.rows for one in both if one.evaluation] == [rows.num_rows - 60] * 2
    assert [one.left_out for one in both] == [60, 0]


def test_a_source_without_a_model_of_its_own_says_why(rows: pa.Table) -> None:
    over_all = said(rows)
    first = judged("s", OVER_ALL, over_all.out_of_fold, over_all)
    for alone, told in (("too few groups", [first.why, "too few groups"]), (None, [first.why])):
        assert [one.why for one in on_shared_rows(first, over_all.out_of_fold, over_all, alone)] == told


@pytest.mark.parametrize(
    ("groups", "shift", "suspicious"), [(120, 0.0, False), (120, 0.3, True), (20, 0.3, False)]
)
def test_what_is_too_good_is_suspected_where_there_are_groups_enough(groups: int, shift: float, suspicious: bool) -> None:  # fmt: skip
    by = said(training_rows(groups, days=84), shift)
    one = judged("s", OVER_ALL, by.out_of_fold, by)
    assert one.is_suspicious is suspicious
    assert ("too few groups to tell" in real_pages._finding(one)) is (groups < 40)


def test_a_baseline_that_is_too_good_speaks_against_the_data() -> None:
    by = said(training_rows(120, days=84))
    better = said(training_rows(120, days=84), 0.3).out_of_fold.column("probability")
    index = out_of_fold.SCHEMA.get_field_index("b2")
    one = judged("s", OVER_ALL, by.out_of_fold.set_column(index, "b2", better), by)
    assert (one.too_good, one.is_suspicious) == (["b2"], False)
    assert "doubt the data" in real_pages._finding(one)


def test_groups_are_held_against_the_events_of_the_dataset(rows: pa.Table, tmp_path: Path) -> None:
    ids = sorted({market_id.split(":", 1)[1] for market_id in rows.column("market_id").to_pylist() if market_id.endswith("long")})  # fmt: skip
    events = ["one event"] * 2 + [f"event {n}" for n in range(len(ids) - 2)]
    pq.write_table(pa.table({"event_key": events, "condition_id": ids, "token_id": pa.nulls(len(ids), pa.string()), "market_key": ids}), tmp_path / real_judging.INDEX)  # fmt: skip
    long, short = sources(rows, tmp_path)
    assert (long.events, long.torn, long.joined) == (len(ids) - 1, 1, 0)
    assert (short.events, short.torn) == (0, 0)


@pytest.mark.slow
def test_a_run_writes_a_page_for_each_judgement_and_stops_at_what_is_too_good(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    lake = filled(Lake(tmp_path / "lake"), training_rows(100, days=30))
    asked: list[str] = []
    monkeypatch.setattr(real.leak_report, "run", lambda *_: asked.append("audit") or 0)
    monkeypatch.setattr(real, "LEAST_GROUPS_ALONE", 50)
    monkeypatch.setattr(real, "_trained", lambda rows, called, console: asked.append(called) or said(rows))
    console = Console(quiet=True)
    assert real.run(lake, [], tmp_path, tmp_path / "pages", console) == 0
    assert asked == [real.EVERY, "synthetic"]
    assert len(list((tmp_path / "pages").rglob("model_report.html"))) == 3
    assert "synthetic" in (tmp_path / "pages" / "index.html").read_text(encoding="utf-8")
    monkeypatch.setattr(
        real, "_trained", lambda rows, called, console: asked.append(called) or said(rows, 0.3)
    )
    assert real.run(lake, [], tmp_path, tmp_path / "pages", console) == 1
    assert asked[2:] == [real.EVERY, "audit"], "nothing more is trained once a figure is not to be believed"


def test_without_a_lake_there_is_nothing_to_run_on(tmp_path: Path) -> None:
    assert real.main(["--lake", str(tmp_path / "nowhere")]) == 2
