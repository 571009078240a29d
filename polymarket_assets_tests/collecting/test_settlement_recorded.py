"""The rule of labels against what the venue really said of markets that ended, oddities included."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from polymarket_assets.collecting import settlement
from polymarket_assets.collecting.settlement import Evidence
from polymarket_assets.venue import parse

# What the catalogue's row alone amounts to, by the oddity it was kept for; None: whatever its status says.
BY_CASE: dict[str, str | None] = {
    "fifty_fifty": "split",
    "one_one_anomaly": "ambiguous",
    "status_disputed_but_final_prices": "disputed",
    "status_missing": "proposed",
    "was_disputed_then_resolved": "final",
    "stuck_proposed": "proposed",
    "no_closed_time": "final",
    "no_end_date": None,
    "negrisk_resolved_no": "final",
    "negrisk_resolved_yes": "final",
    "negrisk_key_absent": "final",
    "two_sided_names": "final",
    "accepting_orders_true_while_closed": "final",
    "closed_before_end_date": "final",
}


def load(recorded_dir: Path, name: str) -> Any:
    return json.loads((recorded_dir / name).read_text())


def lines(recorded_dir: Path, name: str) -> list[Any]:
    return [json.loads(line) for line in (recorded_dir / name).read_text().splitlines()]


def won(row: dict[str, Any]) -> int | None:
    """The label that the row's final prices name, read apart from the parser."""
    return {("1", "0"): 1, ("0", "1"): 0}.get(tuple(json.loads(row["outcomePrices"])))


def test_every_recorded_oddity_is_judged_as_the_table_says(recorded_dir: Path) -> None:
    cases = lines(recorded_dir, "gamma/markets_resolved_2024_edge_cases.jsonl")
    assert {case["case"] for case in cases} == set(BY_CASE)
    for case in cases:
        row = case["market"]
        decision = settlement.decide(Evidence(parse.market_end(row)))
        by_status = "final" if row.get("umaResolutionStatus") == "resolved" else "proposed"
        assert decision.state == (BY_CASE[case["case"]] or by_status), (case["case"], decision.reason)
        assert decision.label == (won(row) if decision.state == "final" else None)
        disputed = case["case"] in ("was_disputed_then_resolved", "status_disputed_but_final_prices")
        assert decision.was_disputed is disputed


@pytest.mark.parametrize(
    ("name", "rows"),
    [
        ("gamma/markets_resolved_2024_plain60.json", 60),
        ("gamma/markets_resolved_btc5m_2026_07_24_first24.jsonl", 24),
    ],
)
def test_ordinary_resolved_markets_are_labelled_by_their_payouts(recorded_dir: Path, name: str, rows: int) -> None:  # fmt: skip
    found = lines(recorded_dir, name) if name.endswith("l") else load(recorded_dir, name)
    wire = [row.get("raw", row) for row in found]
    decisions = [settlement.decide(Evidence(parse.market_end(row))) for row in wire]
    assert len(decisions) == rows
    for row, decision in zip(wire, decisions, strict=True):
        confirmed = row.get("umaResolutionStatus") == "resolved"
        assert (decision.state, decision.label) == (("final", won(row)) if confirmed else ("proposed", None))
    labels = Counter(decision.label for decision in decisions)
    assert labels[0] > 0
    assert labels[1] > 0


@pytest.mark.parametrize(
    ("name", "alone", "state", "label"),
    [
        ("market_closed_binary_accepting_false", "final", "final", 0),
        ("market_closed_binary_accepting_true", "proposed", "final", 1),
    ],
)
def test_the_order_book_service_confirms_its_twin(recorded_dir: Path, name: str, alone: str, state: str, label: int) -> None:  # fmt: skip
    """A closed market without any status, still accepting orders: only the named winner settles it."""
    end = parse.market_end(load(recorded_dir, f"gamma/{name}.json"))
    clob = parse.clob_market(load(recorded_dir, f"clob/{name}.json"))
    assert settlement.decide(Evidence(end)).state == alone
    decision = settlement.decide(Evidence(end, clob=clob))
    assert (decision.state, decision.label) == (state, label)
    other = parse.clob_market(load(recorded_dir, "clob/market_by_condition_nautilus.json"))
    assert settlement.decide(Evidence(end, clob=other)).state == alone


@pytest.mark.parametrize("name", ["market_closed_nonbinary_legacy", "market_closed_zero_zero_legacy"])
def test_what_pays_neither_all_nor_half_gives_no_label(recorded_dir: Path, name: str) -> None:
    decision = settlement.decide(Evidence(parse.market_end(load(recorded_dir, f"gamma/{name}.json"))))
    assert (decision.state, decision.label) == ("ambiguous", None)


def test_the_legs_of_a_resolved_set_name_at_most_one_winner(recorded_dir: Path) -> None:
    event = load(recorded_dir, "gamma/event_negrisk_resolved_2024.json")
    labels = [settlement.decide(Evidence(parse.market_end(row))).label for row in event["markets"]]
    assert sorted(labels, key=str) == [0, 0, 1]


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("v2_resolutions_v1_market_resolved_2026_10_05", 0),
        ("v2_resolutions_v2_market_resolved_2026_10_05", 1),
    ],
)
def test_recorded_payouts_confirm_and_contradict(recorded_dir: Path, name: str, label: int) -> None:
    """A closed row without status: the Data API's payouts settle it, unless the prices say otherwise."""
    data = parse.resolution_row(load(recorded_dir, f"data/{name}.json")["data"][0])
    twin = load(recorded_dir, "gamma/market_closed_binary_accepting_true.json")
    for prices, state in ((("0", "1"), "final" if label == 0 else "ambiguous"), (("1", "0"), "final" if label else "ambiguous")):  # fmt: skip
        end = parse.market_end({**twin, "outcomePrices": json.dumps(prices)})
        decision = settlement.decide(Evidence(end, data))
        assert (decision.state, decision.label) == (state, label if state == "final" else None)


def test_recorded_rows_by_question_speak_without_payouts(recorded_dir: Path) -> None:
    """`resolved` without payouts names no winner; `posed` is no news at all."""
    resolved, posed = load(recorded_dir, "data/v2_resolutions_rows_by_question_2026_09_08.json")
    twin = parse.market_end(load(recorded_dir, "gamma/market_closed_binary_accepting_true.json"))
    for row in (resolved, posed):
        decision = settlement.decide(Evidence(twin, parse.resolution_row(row)))
        assert (decision.state, decision.wants_confirmation) == ("proposed", True)


@pytest.mark.parametrize("name", ["market_open_btc15m_2026_10_05", "market_open_btc15m_2026_02_07"])
def test_an_open_market_is_open_whatever_its_prices(recorded_dir: Path, name: str) -> None:
    evidence = Evidence(parse.market_end(load(recorded_dir, f"gamma/{name}.json")))
    assert settlement.decide(evidence).state == "open"
    assert not settlement.tells(evidence)


def test_a_recorded_push_confirms_nothing_and_is_not_overheard(recorded_dir: Path) -> None:
    """The first token won, it says: with a catalogue that says so too a label, against it none until confirmed."""
    push = parse.resolved_push((recorded_dir / "ws/market_resolved_btc5m_2026_08_10.json").read_text())
    wire = json.loads((recorded_dir / "ws/market_resolved_btc5m_2026_08_10.json").read_text())
    twin = {
        **load(recorded_dir, "gamma/market_closed_binary_accepting_true.json"),
        "conditionId": push.condition_id,
        "clobTokenIds": json.dumps(wire["assets_ids"]),
    }

    def state(prices: list[str], **changed: Any) -> tuple[str, int | None]:
        end = parse.market_end({**twin, "outcomePrices": json.dumps(prices), **changed})
        decision = settlement.decide(Evidence(end, pushed=(push,)))
        return decision.state, decision.label

    assert state(["1", "0"]) == ("proposed", None)
    assert state(["1", "0"], umaResolutionStatus="resolved") == ("final", 1)
    assert state(["0", "1"], umaResolutionStatus="resolved") == ("ambiguous", None)
    assert state(["0.4", "0.6"], closed=False) == ("open", None)
