"""The readers' drill in small, with real processes; and its judge finds what is planted."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from drills import hammering, readers
from drills.hammering import FIRST, MARKETS, Answer
from polymarket_assets.lake import reading
from polymarket_assets.lake.writing import Lake


@pytest.mark.slow
def test_readers_meet_no_error_and_every_row_once_while_hours_are_written_compacted_and_moved(
    tmp_path: Path,
) -> None:
    outcome = readers.drill(tmp_path, 7.0, seed=1)
    assert outcome.violations == []
    assert all(heard.slots > 30 for heard in outcome.heard.values()), "more than one hour was read"
    assert outcome.kills > 1


def whole(slot: int, **changed: int) -> tuple[int, int, int]:
    found = {"rows": MARKETS, "markets": MARKETS, "size": MARKETS * (slot * 1000 + 1), **changed}
    return found["rows"], found["markets"], found["size"]


@pytest.mark.parametrize(
    ("found", "said"),
    [
        ({1: whole(1), 2: whole(2)}, []),
        ({1: whole(1)}, ["slot 2 is missing"]),
        ({1: whole(1), 2: whole(2), 3: whole(3)}, []),
        ({1: whole(1), 2: whole(2, rows=2 * MARKETS)}, ["slot 2: 80 rows of 40 markets, sizes 80040"]),
        ({1: whole(1), 2: whole(2, size=7)}, ["slot 2: 40 rows of 40 markets, sizes 7"]),
    ],
)
def test_an_answer_that_lacks_or_doubles_is_found(found: Answer, said: list[str]) -> None:
    assert list(hammering._wrong({1, 2}, found, FIRST + timedelta(hours=1))) == said


def test_rows_that_stand_twice_at_the_end_are_found(tmp_path: Path) -> None:
    lake = Lake(tmp_path / "lake")
    for part in ("000000", "again"):
        lake.publish(hammering.TABLE, hammering.books(0), part=part, at=FIRST, tier=hammering.TIER)
    (tmp_path / "ledger").write_text("0\n")
    outcome = readers.Outcome()
    readers._judge_the_end(tmp_path, outcome)
    assert outcome.failed == ["80 rows of 1 slots stand at the end"]
    assert reading.rows(lake, hammering.TABLE).num_rows == 80
