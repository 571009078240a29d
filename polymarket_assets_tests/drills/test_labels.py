"""The strict rule against every closed market there is a record of: it is right where it speaks, and says why where it does not."""

from __future__ import annotations

import json
import sys
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from drills import labels
from polymarket_assets.collecting import label_census
from polymarket_assets.lake.writing import Lake
from polymarket_assets_tests.conftest import PROJECT
from polymarket_assets_tests.learning.rows import publish, resolution

DOCUMENT = (PROJECT / "docs" / "resolutions.md").read_text()
# Rows of the catalogue among the recorded payloads, but for a fragment of the venue's documentation and a list of tags.
RECORDED = (
    "event_nautilus.json",
    "event_negrisk_open_fed_june_2026.json",
    "event_negrisk_resolved_2024.json",
    "events_keyset_series10192_2026_10_05.json",
    "events_list_resolved_2024_as_served_2026_10_06.json",
    "market_closed_binary_accepting_false.json",
    "market_closed_binary_accepting_true.json",
    "market_closed_nonbinary_legacy.json",
    "market_closed_zero_zero_legacy.json",
    "market_open_btc15m_2026_02_07.json",
    "market_open_btc15m_2026_10_05.json",
    "market_open_nautilus.json",
    "market_sports_map_handicap.json",
    "market_sports_money_line.json",
    "markets_keyset_page_trimmed_to_1_2026_10_06.json",
    "markets_list_open_2026_06_27.json",
    "markets_resolved_2024_edge_cases.jsonl",
    "markets_resolved_2024_plain60.json",
    "markets_resolved_btc5m_2026_07_24_first24.jsonl",
    "public_search_fed_june_2026.json",
    "weather_negrisk_events_plus_clob_quotes_2026_06_16.ndjson",
)


def said(judged: labels.Judged) -> str:
    """The states of a file's rows, the most frequent first, as the document writes them."""
    counts = Counter((each.state, each.rule) for each in judged.decisions)
    return ", ".join(f"{count:,} {state} (`{rule}`)" for (state, rule), count in counts.most_common())


def test_labels_of_2024_agree_with_their_final_prices_and_with_who_won_elsewhere(datasets_dir: Path) -> None:
    """A rule that is wrong once in a thousand teaches a model more lies than it has skill."""
    judged = labels.judge(datasets_dir / labels.STANDARD)
    assert (len(judged.decisions), judged.unreadable) == (11_847, [])
    assert judged.wrong == []
    assert judged.labelled == 11_371
    assert judged.other > 1_000
    assert f"| `{labels.STANDARD}` | 11,847 | {said(judged)} |" in DOCUMENT
    assert f"of {judged.other:,} markets" in DOCUMENT


@pytest.mark.parametrize("name", RECORDED)
def test_every_recorded_catalogue_row_has_the_state_that_the_document_says(recorded_dir: Path, name: str) -> None:  # fmt: skip
    judged = labels.judge(recorded_dir / "gamma" / name)
    assert judged.unreadable == judged.wrong == []
    assert f"| `{name}` | {len(judged.decisions)} | {said(judged)} |" in DOCUMENT


def test_no_recorded_file_is_left_out(recorded_dir: Path) -> None:
    there = {file.name for file in (recorded_dir / "gamma").iterdir() if any(True for _ in labels.rows(file))}
    assert there == set(RECORDED)


def test_every_recorded_oddity_has_the_state_that_the_document_says(recorded_dir: Path) -> None:
    """Told by the oddity a row was kept for."""
    cases: dict[str, labels.Judged] = {}
    for line in (recorded_dir / "gamma/markets_resolved_2024_edge_cases.jsonl").read_text().splitlines():
        case = json.loads(line)
        judged = cases.setdefault(case["case"], labels.Judged(case["case"]))
        judged.decisions += labels.decided([case["market"]])
    for name, judged in cases.items():
        assert f"| `{name}` | {len(judged.decisions)} | {said(judged)} |" in DOCUMENT


def test_a_label_that_differs_from_who_won_elsewhere_is_told_and_fails(
    tmp_path: Path, datasets_dir: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A census that cannot fail shows nothing."""
    of_2024 = labels.rows(datasets_dir / labels.STANDARD)
    row = next(row for row in of_2024 if row["outcomePrices"] == '["0", "1"]')
    (tmp_path / "one.json").write_text(json.dumps(row))
    won = {"condition_id": row["conditionId"], "token_id": json.loads(row["clobTokenIds"])[0], "outcome": 1.0}
    pq.write_table(pa.Table.from_pylist([won]), tmp_path / labels.OTHERS)
    monkeypatch.setattr(sys, "argv", ["labels", str(tmp_path / "one.json")])
    assert labels.main() == 1
    told = capsys.readouterr().out
    assert "of 1 markets that another source knows, 1 from it" in told
    assert "labelled 0" in told


def test_a_lake_is_counted_by_source_state_and_rule(
    lake: Lake, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Only the newest version of a market counts; imports have rules of their own."""
    now = datetime(2026, 11, 2, tzinfo=UTC)
    versions = [
        resolution("pm:a", now, None, state="proposed", rule="unconfirmed"),
        resolution("pm:a", now, 1, version=2, rule="confirmed", reason="1/0, confirmed by the catalogue"),
        resolution("pm:b", now, 0, rule="confirmed"),
        resolution("us:c", now, 0, source="us"),
    ]
    publish(lake, "resolutions", versions)
    lines = label_census.census(lake, now=now)
    assert [(each.source, each.state, each.rule, each.markets, each.ones, each.zeros) for each in lines] == [
        ("polymarket", "final", "confirmed", 2, 1, 1),
        ("us", "final", label_census.NO_RULE, 1, 0, 1),
    ]
    assert "| polymarket | final | confirmed | 2 | 1 | 1 | 1/0, confirmed by the catalogue |" in label_census.markdown(lines)  # fmt: skip
    monkeypatch.setattr(sys, "argv", ["labels", "--lake", lake.root])
    assert labels.main() == 0
    assert "unconfirmed" not in capsys.readouterr().out


def test_rows_that_cannot_be_read_are_counted_and_named(tmp_path: Path) -> None:
    (tmp_path / "odd.jsonl").write_text('{"conditionId": "0x1", "outcomes": "[]", "id": 1}\n')
    judged = labels.judge(tmp_path / "odd.jsonl")
    assert judged.decisions == []
    assert "is not a condition id" in judged.unreadable[0]
