"""Scoring: any model says its word on the rows of any lake, and the file that keeps it holds no outcome."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from polymarket_assets.lake.writing import Lake
from polymarket_assets.learning.commands import scoring
from polymarket_assets.learning.commands.loading import Loaded, loaded
from polymarket_assets.learning.served import Correction, Shrinkage
from polymarket_assets.venue.errors import Gone, MalformedPayload, Refused
from polymarket_assets_tests.learning import captured
from polymarket_assets_tests.learning.commands.lakes import ENCODING, filled, learnt
from polymarket_assets_tests.learning.synthetic import training_rows

NOW = datetime(2026, 11, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def rows() -> pa.Table:
    return training_rows(120, edge=0.8, days=20)


@pytest.fixture(scope="module")
def lake(rows: pa.Table, tmp_path_factory: pytest.TempPathFactory) -> Lake:
    return filled(Lake(tmp_path_factory.mktemp("lake")), rows)


@pytest.fixture(scope="module")
def folder(rows: pa.Table, tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("model")
    learnt(rows).save(made)
    return made


def model(folder: Path) -> Loaded:
    with loaded(str(folder), lambda: pytest.fail("a folder needs no server")) as found:
        return found


def test_forecasts_are_those_of_the_model_and_say_how_sure_it_is(lake: Lake, rows: pa.Table, folder: Path) -> None:  # fmt: skip
    said = scoring.scored(
        scoring.rows_of_features(lake, None, None), model(folder), of=scoring.FEATURES, at=NOW
    )
    frame, correction = rows.to_pandas(), Correction.load(folder)
    wanted = dict(zip(zip(frame["market_id"], frame["as_of"], strict=True), zip(*correction.said(frame), strict=True), strict=True))  # fmt: skip
    found = said.to_pandas()
    keys = zip(found["market_id"], found["as_of"], strict=True)
    assert len(found) == len(frame)
    assert np.array([wanted[key] for key in keys]) == pytest.approx(found[["probability", "correction_sd"]].to_numpy())  # fmt: skip


def test_no_outcome_stands_in_the_file(lake: Lake, folder: Path, tmp_path: Path) -> None:
    said = scoring.scored(
        scoring.rows_of_features(lake, None, None), model(folder), of=scoring.FEATURES, at=NOW
    )
    scoring.write(said, tmp_path / "made" / "said.parquet")
    table, told = scoring.read(tmp_path / "made" / "said.parquet")
    assert not [name for name in table.column_names if ("label" in name and not name.endswith("_labels")) or name in ("was_disputed", "group_over_at")]  # fmt: skip
    assert {"market_id", "as_of", "group_id", "source", "category", "tier", "horizon_h", "mid", "probability", "correction_sd"} <= set(table.column_names)  # fmt: skip
    assert (told.model, told.of, told.learnt_until, told.says_the_price) == (str(folder), scoring.FEATURES, None, False)  # fmt: skip


def test_blocks_of_rows_say_what_all_say_together(lake: Lake, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    rows = scoring.rows_of_features(lake, None, None)
    whole = scoring.scored(rows, model(folder), of=scoring.FEATURES, at=NOW)
    monkeypatch.setattr(scoring, "AT_ONCE", 50)
    heard: list[int] = []
    assert scoring.scored(rows, model(folder), of=scoring.FEATURES, at=NOW, on_rows=heard.append).equals(
        whole
    )
    assert sum(heard) == rows.num_rows
    assert len(heard) == 8


@pytest.mark.parametrize(("since", "until"), [(5, None), (None, 5), (3, 9)])
def test_a_span_of_instants_is_half_open(
    lake: Lake, rows: pa.Table, since: int | None, until: int | None
) -> None:
    first = pc.min(rows.column("as_of")).as_py()
    start, end = (None if days is None else first + timedelta(days=days) for days in (since, until))
    found = scoring.rows_of_features(lake, start, end).column("as_of").to_pylist()
    wanted = [at for at in rows.column("as_of").to_pylist() if (start is None or at >= start) and (end is None or at < end)]  # fmt: skip
    assert sorted(found) == sorted(wanted)
    assert 0 < len(found) < rows.num_rows


def test_ten_thousand_rows_are_scored_in_one_go(rows: pa.Table, folder: Path) -> None:
    """How long that takes is the benchmark's."""
    many = pa.concat_tables([rows] * 28).slice(0, 10_000)
    assert scoring.scored(many, model(folder), of=scoring.FEATURES, at=NOW).num_rows == 10_000


def test_a_model_without_members_to_differ_is_taken_at_its_word(lake: Lake) -> None:
    rows = scoring.rows_of_features(lake, None, None)
    said = scoring.scored(rows, Loaded("theirs/1", None, None, False, lambda part: (np.full(part.num_rows, 0.5), None)), of=scoring.FEATURES, at=NOW)  # fmt: skip
    assert said.column("correction_sd").null_count == said.num_rows


def test_a_model_that_gives_no_probability_is_refused(lake: Lake) -> None:
    broken = Loaded("theirs/1", None, None, False, lambda part: (np.full(part.num_rows, np.nan), None))
    with pytest.raises(Refused, match="gives no probability"):
        scoring.scored(scoring.rows_of_features(lake, None, None), broken, of=scoring.FEATURES, at=NOW)


def test_the_price_is_known_as_one_that_learnt_nothing(tmp_path: Path) -> None:
    Correction((), ENCODING, Shrinkage(0.0)).save(tmp_path)
    assert model(tmp_path).says_the_price


def test_every_market_of_a_recorded_lake_is_asked_about_at_an_instant(folder: Path, tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    captured.fill(lake)
    at = captured.START + timedelta(hours=1)
    rows = scoring.rows_at(lake, at, ())
    said = scoring.scored(rows, model(folder), of=scoring.INSTANT, at=NOW)
    assert said.num_rows == len(said.column("market_id").unique()) > 1
    assert (said.column("as_of").unique().to_pylist(), said.column("source").unique().to_pylist()) == ([at], ["recorded"])  # fmt: skip


def test_what_is_not_there_is_said_in_a_sentence(lake: Lake, tmp_path: Path) -> None:
    (tmp_path / "other.parquet").write_bytes(b"no parquet")
    pq.write_table(pa.table({"a": [1]}), tmp_path / "plain.parquet")
    with pytest.raises(Gone, match="there is no model at"):
        model(tmp_path / "nothing")
    with pytest.raises(Refused, match="holds no model"):
        model(tmp_path)
    with pytest.raises(Gone, match="none with a price in the span"):
        scoring.rows_of_features(lake, datetime(2030, 1, 1, tzinfo=UTC), None)
    with pytest.raises(Gone, match="needs a recorded lake"):
        scoring.rows_at(lake, NOW, ())
    with pytest.raises(Gone, match="write one with `score"):
        scoring.read(tmp_path / "absent.parquet")
    for name in ("other", "plain"):
        with pytest.raises(MalformedPayload, match="not written by `score`"):
            scoring.read(tmp_path / f"{name}.parquet")
