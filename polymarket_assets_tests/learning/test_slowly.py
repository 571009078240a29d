"""The fast code against plain Python: every feature of a capture with halts, gaps and broken books."""

from __future__ import annotations

import random
from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest

from drills import features as drill
from polymarket_assets.lake.spans import Span
from polymarket_assets.lake.writing import Lake
from polymarket_assets.learning.audit.audited import is_same
from polymarket_assets.learning.evidence import blocks
from polymarket_assets.learning.evidence.recorded import at_instants, recorded
from polymarket_assets.learning.features.catalogue import FEATURES
from polymarket_assets.shards import Shard
from polymarket_assets_tests.learning import captured
from polymarket_assets_tests.learning.slowly import Slow
from polymarket_assets_tests.learning.slowly.plain import Row

INSTANTS = 400


def filled(folder: Path, *, shared: bool) -> Lake:
    made = Lake(folder)
    captured.fill(made, shared=shared)
    return made


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    return filled(tmp_path_factory.mktemp("captured"), shared=False)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """The same, by one streamer, by two of which one falls silent, and by one again."""
    return filled(tmp_path_factory.mktemp("shared"), shared=True)


def instants(count: int = INSTANTS, seed: int = 1) -> pa.Table:
    """Random ones, those of sweeps, and those just before and after."""
    dice = random.Random(seed)
    rows = [
        {"market_id": f"pm:{dice.choice(list(captured.MARKETS))}", "as_of": captured.START + timedelta(microseconds=dice.choice([dice.randrange(7200 * 10**6), dice.randrange(480) * 15 * 10**6 + 300_000, dice.randrange(24) * 300 * 10**6]))}
        for _ in range(count)
    ]  # fmt: skip
    return pa.Table.from_pylist(rows, pa.schema([("market_id", pa.string()), ("as_of", pa.timestamp("us", tz="UTC"))]))  # fmt: skip


@pytest.mark.slow
def test_every_feature_is_what_its_words_say(lake: Lake) -> None:
    slow = Slow(lake)
    wanted = {(row["market_id"], row["as_of"]) for row in instants().to_pylist()}
    found = {(row["market_id"], row["as_of"]): row for row in [*at_instants(lake, instants()).to_pylist(), *recorded(lake, Span(captured.START, captured.END)).to_pylist()]}  # fmt: skip
    told = {key: slow.features(*key) for key in wanted | set(found)}
    assert {key for key, row in told.items() if row is not None} == set(found)
    for feature in FEATURES:
        differing = [(key, row[feature.name], found[key][feature.name]) for key, row in told.items() if row is not None and not is_same(row[feature.name], found[key][feature.name])]  # fmt: skip
        assert not differing, (
            f"{feature.name}: {len(differing)} of {len(found)} differ, for example {differing[0]}"
        )
        known = sum(row[feature.name] is not None for row in found.values())
        assert known >= 5, f"{feature.name} is known in {known} rows only: the capture does not try it"


@pytest.mark.slow
def test_each_market_is_judged_by_the_streamers_that_carried_it(lake: Lake, shared: Lake) -> None:
    """One that was dead would otherwise go unnoticed while another hears."""
    slow, whole = Slow(shared), by_instant(lake)
    found = by_instant(shared)
    told = {key: slow.features(*key) or {} for key in found}
    assert [(key, feature.name) for key, row in told.items() for feature in FEATURES if not is_same(row[feature.name], found[key][feature.name])] == []  # fmt: skip
    changed = Counter(market_id for (market_id, at), row in found.items() if row["unheard_1h"] != whole[market_id, at]["unheard_1h"])  # fmt: skip
    assert changed.total() > 10, "the silence is not seen"
    assert all(Shard(1, 2).carries(market_id) for market_id in changed)
    assert any(row["unheard_1h"] is not None for (market_id, at), row in found.items() if Shard(0, 2).carries(market_id) and captured.SILENT[0] + timedelta(minutes=20) < at < captured.SILENT[1])  # fmt: skip


def by_instant(lake: Lake) -> dict[tuple[str, datetime], Row]:
    """Rows of features at half of the instants."""
    rows = at_instants(lake, instants(INSTANTS // 2)).to_pylist()
    return {(row["market_id"], row["as_of"]): row for row in rows}


def test_blocks_of_markets_give_the_rows_of_all_markets_together(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    """Also where siblings stand in another block, and a block has no rows."""
    together = at_instants(lake, instants(60))
    monkeypatch.setattr(blocks, "ROWS_AT_ONCE", 1)
    assert at_instants(lake, instants(60)).equals(together)


def test_instants_may_lie_any_time_apart(lake: Lake) -> None:
    known = at_instants(lake, instants(60))
    long_ago = instants(60).slice(0, 1).set_column(1, "as_of", pa.array([captured.START - timedelta(days=3000)], pa.timestamp("us", tz="UTC")))  # fmt: skip
    assert at_instants(lake, pa.concat_tables([long_ago, instants(60)])).equals(known)


@pytest.mark.slow
def test_the_drill_tells_which_feature_differs(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = drill.drawn(lake, 40, seed=1)
    rows, known, differing = drill.compared(lake, wanted)
    assert (rows > 20, known["mid"] > 10, differing) == (True, True, {})
    honest = Slow.features
    monkeypatch.setattr(Slow, "features", lambda self, *key: (row := honest(self, *key)) and {**row, "spread_c": 77.0})  # fmt: skip
    assert set(drill.compared(lake, wanted)[2]) == {"spread_c"}
    monkeypatch.setattr(Slow, "features", lambda self, *key: None)
    assert set(drill.compared(lake, wanted)[2]) == {"row"}
