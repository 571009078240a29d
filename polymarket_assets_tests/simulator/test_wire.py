"""What is served has the shape of what was recorded: keys, their order, their types, the bytes between."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from simulator import frames
from simulator.catalogue import Generated
from simulator.exchange import Exchange
from simulator.ladder import Change, Fill
from simulator.profiles import DEMO
from simulator.universe import Universe

# On the wire by documentation, never recorded (PROTOCOL section 3).
UNRECORDED = {"resolutionStatus"}


@pytest.fixture(scope="module")
def exchange() -> Exchange:
    now = time.time()
    made = Exchange(Universe(7, DEMO, now), 7, lambda: now)
    for market in made.universe.markets.values():
        if market.trades(now):
            made.open_floor(market, now)
    return made


def recorded(folder: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Market rows whose keys are in the order of the wire."""
    gamma = folder / "gamma"
    yield "series", json.loads((gamma / "market_open_btc15m_2026_10_05.json").read_text())
    yield (
        "key set",
        json.loads((gamma / "markets_keyset_page_trimmed_to_1_2026_10_06.json").read_text())["markets"][0],
    )
    yield "race", json.loads((gamma / "event_negrisk_open_fed_june_2026.json").read_text())["markets"][0]
    yield "closed", json.loads((gamma / "market_closed_binary_accepting_false.json").read_text())


def all_recorded(folder: Path) -> list[dict[str, Any]]:
    rows = [row for _, row in recorded(folder)]
    for name in ("market_sports_money_line", "market_sports_map_handicap", "markets_list_open_2026_06_27"):
        found = json.loads((folder / "gamma" / f"{name}.json").read_text())
        rows += found if isinstance(found, list) else [found]
    for line in (folder / "gamma" / "markets_resolved_btc5m_2026_07_24_first24.jsonl").open():
        rows.append(json.loads(line)["raw"])
    return rows


def served(exchange: Exchange) -> list[dict[str, Any]]:
    rows = Generated(exchange)
    return [entry.row for closed in (False, True) for entry in rows.markets(closed)]


def kind(value: object) -> str:
    """Types as far as the wire tells them apart: whole and broken numbers are mixed there."""
    return (
        "number" if isinstance(value, int | float) and not isinstance(value, bool) else type(value).__name__
    )


def test_keys_of_markets_come_in_the_recorded_order(exchange: Exchange, recorded_dir: Path) -> None:
    for name, row in recorded(recorded_dir):
        for mine in served(exchange):
            assert [key for key in mine if key in row] == [key for key in row if key in mine], name


def test_every_key_of_a_market_was_recorded_with_its_type(exchange: Exchange, recorded_dir: Path) -> None:
    types: dict[str, set[str]] = {}
    for row in all_recorded(recorded_dir):
        for key, value in row.items():
            types.setdefault(key, set()).add(kind(value))
    for mine in served(exchange):
        for key, value in mine.items():
            assert key in UNRECORDED or kind(value) in types.get(key, set()), (key, value)


def test_formats_inside_strings_are_the_recorded_ones(exchange: Exchange) -> None:
    """JSON inside strings, two forms of instants, ids by generation: what parsers fall over."""
    forms = {
        "outcomes": r'\["[^"]+", "[^"]+"\]',
        "outcomePrices": r'\["[\d.]+", "[\d.]+"\]',
        "clobTokenIds": r'\["\d{70,78}", "\d{70,78}"\]',
        "umaResolutionStatuses": r'\[("\w+"(, )?)*\]',
        "endDate": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ",
        "startDate": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z",
        "closedTime": r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\+00",
        "gameStartTime": r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\+00",
        "conditionId": r"0x([0-9a-f]{62}|[0-9a-f]{64})",
    }
    for row in served(exchange):
        for key, form in forms.items():
            if key in row:
                assert re.fullmatch(form, row[key]), (key, row[key])


def test_a_row_carries_the_ids_of_its_generation(exchange: Exchange) -> None:
    rows = served(exchange)
    for row in rows:
        assert ("clobTokenIds" in row) == (row["version"] == "v1")
        assert row["version"] == "v1" or isinstance(row["positionIds"], list)
        assert len(row["conditionId"]) == (64 if row["version"] == "v2" else 66)
    assert any(row["version"] == "v1" and "positionIds" in row for row in rows)


def test_placeholders_have_no_prices_and_yet_accept_orders(exchange: Exchange) -> None:
    found = [row for row in served(exchange) if not row["active"]]
    assert found
    assert all("outcomePrices" not in row and row["acceptingOrders"] for row in found)
    assert any(not row["enableOrderBook"] for row in served(exchange))


def test_events_have_the_recorded_keys_in_their_order(exchange: Exchange, recorded_dir: Path) -> None:
    rows = [entry.row for closed in (False, True) for entry in Generated(exchange).events(closed)]
    row = json.loads((recorded_dir / "gamma" / "events_keyset_series10192_2026_10_05.json").read_text())[
        "events"
    ][0]
    for mine in rows:
        assert [key for key in mine if key in row] == [key for key in row if key in mine]
    series = next(mine for mine in rows if "series" in mine)
    assert set(row) <= set(series)


# --- frames of the socket -----------------------------------------------------------------------------


def shape(text: str) -> str:
    """A frame with its values blanked: what remains are keys, their order, and the bytes between."""
    blanked = re.sub(r'(":\s*)"(?:[^"\\]|\\.)*"', r'\1"~"', text)
    blanked = re.sub(r'(?<=[\[ ,])"(?:[^"\\]|\\.)*"(?=[,\]])', '"~"', blanked)
    return re.sub(r'("~", ?)+"~"\]', '"~"]', blanked)


def of_type(folder: Path, name: str, type_: str) -> str:
    lines = [json.loads(line) for line in (folder / "ws" / name).open()]
    texts = [line.get("payloadUtf8") or line.get("data") for line in lines]
    return next(t for t in texts if isinstance(t, str) and f'"event_type":"{type_}"' in t)


def test_frames_have_the_recorded_shape(exchange: Exchange, recorded_dir: Path) -> None:
    floor = next(floor for floor in exchange.floors.values() if floor.market.version == "v1")
    market, shown, tx = floor.market, floor.show(), "0x" + "1" * 64
    ws = recorded_dir / "ws"
    pairs = {
        frames.price_change(market, Change(True, 460, 91_834), 1, shown, 1): of_type(recorded_dir, "market_frames_btc15m_2026_09_30.jsonl", "price_change"),
        frames.best_bid_ask(market, 0, 1, shown[0]): of_type(recorded_dir, "market_frames_best_bid_ask_2026_09_11.jsonl", "best_bid_ask"),
        frames.last_trade_price(market, 0, True, Fill(510, 2000), 1, tx): of_type(recorded_dir, "market_frames_btc15m_2026_09_30.jsonl", "last_trade_price"),
        frames.tick_size_change(market, 0, 10, 1, 1): (ws / "tick_size_change_btc5m_2026_08_10.json").read_text().strip(),
        frames.market_resolved(market, 1): (ws / "market_resolved_btc5m_2026_08_10.json").read_text().strip(),
    }  # fmt: skip
    for made, seen in pairs.items():
        assert shape(made) == shape(seen)


def test_new_market_has_the_recorded_keys_and_types(exchange: Exchange, recorded_dir: Path) -> None:
    seen = json.loads(
        of_type(recorded_dir, "market_session_v2_asset_and_new_market_2026_10_05.jsonl", "new_market")
    )
    for market in exchange.universe.markets.values():
        text = frames.new_market(market, 1_795_418_700_000)
        made = json.loads(text)
        assert list(made) == list(seen)
        assert {key: kind(value) for key, value in made.items()} == {
            key: kind(value) for key, value in seen.items()
        }
        assert {key: kind(v) for key, v in made["fee_schedule"].items()} == {
            key: kind(v) for key, v in seen["fee_schedule"].items()
        }
        assert list(made["event_message"]) == list(seen["event_message"])
        assert '", "' not in text.replace(market.description, "")
