"""What programs are told of models, paper portfolios and large orders; what is away is said, and the rest is there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from polymarket_assets.lake.writing import Lake
from polymarket_assets_tests.console import models_lake, tracked
from polymarket_assets_tests.console.models_lake import CHALLENGER, CHAMPION, HOSTILE, NOW
from polymarket_assets_tests.console.served import Console, served, settings_of


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    made = Lake(tmp_path_factory.mktemp("lake"))
    models_lake.fill(made)
    return made


@pytest.fixture(scope="module")
def tracking(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    with tracked.tracking(tmp_path_factory.mktemp("mlflow")) as found:
        yield found


@pytest.fixture(scope="module")
def console(lake: Lake, tracking: tuple[str, str]) -> Iterator[Console]:
    with served(settings_of(lake, mlflow_tracking_uri=tracking[0], mlflow_url="https://models.example/ml/"), clock=lambda: NOW) as found:  # fmt: skip
        yield found


@pytest.fixture(scope="module")
def alone(lake: Lake) -> Iterator[Console]:
    """Nobody else is there: no tracking server, no Dagster."""
    with served(settings_of(lake), clock=lambda: NOW) as found:
        yield found


def test_versions_have_their_roles_figures_and_pages(console: Console, tracking: tuple[str, str]) -> None:
    found = {one["version"]: one for one in console.json("/api/models")["versions"]}
    assert list(found) == ["3", "2", "1"]
    assert found["1"]["aliases"] == ["champion"]
    assert found["1"]["says_the_price"]
    assert found["2"]["skill"] == {"value": 0.021, "low": 0.004, "high": 0.039}
    assert found["2"]["gain"]["low"] == -0.001
    assert found["2"]["data_until"] == "2026-04-05 23:59 UTC"
    assert found["2"]["mlflow_version"].startswith(
        "https://models.example/ml/#/models/polymarket/versions/2?"
    )
    assert f"/runs/{tracking[1]}?" in found["2"]["mlflow_run"]
    assert found["3"]["skill"] is None, "nobody judged it"


@pytest.mark.parametrize(("name", "version"), [("2", "2"), ("challenger", "2"), ("champion", "1")])
def test_a_version_is_found_by_number_and_alias(console: Console, name: str, version: str) -> None:
    assert console.json(f"/api/models/{name}")["version"]["version"] == version


def test_a_version_that_is_not_there_is_said_with_those_that_are(console: Console) -> None:
    assert "there are 3, 2, 1" in console.json("/api/models/99", status=404)["detail"]


def test_what_models_said_is_held_against_what_came(console: Console) -> None:
    live = {one["model_version"]: one for one in console.json("/api/models")["live"]}
    better, price = live[CHALLENGER], live[CHAMPION]
    assert better["decided"] == better["groups"] == 240
    assert better["skill"] > 0
    assert price["skill"] == pytest.approx(0)
    assert better["gain"]["low"] < better["gain"]["value"] < better["gain"]["high"]
    assert len(better["weeks"]) == 3
    assert sum(week["rows"] for week in better["weeks"]) == 240
    assert sum(one["share"] for one in better["model_bins"]) == pytest.approx(1)
    assert [one["came"]["value"] for one in price["price_bins"]] == [one["came"]["value"] for one in price["model_bins"]]  # fmt: skip


def test_the_figures_are_those_of_a_review(console: Console, lake: Lake) -> None:
    """Two judgements of the same rows that differ would both be doubted."""
    from polymarket_assets.learning import evaluation
    from polymarket_assets.learning.live import outcomes

    rows = outcomes.decided(lake, CHALLENGER, since=NOW.replace(month=2), now=NOW)
    judged = evaluation.judge_predictions(rows, draws=50)
    (said,) = (one for one in console.json("/api/models")["live"] if one["model_version"] == CHALLENGER)
    assert said["gain"]["value"] == pytest.approx(judged.overall.log_loss_gain.value)
    assert said["skill"] == pytest.approx(judged.overall.brier_skill.value)
    weekly = judged.weekly.weeks
    assert [week["gain"]["value"] for week in said["weeks"]] == pytest.approx([week.gain_over_price.value for week in weekly])  # fmt: skip


def test_without_a_tracking_server_the_lake_still_tells(alone: Console) -> None:
    found = alone.json("/api/models")
    assert found["versions"] is None
    assert "no tracking server answers" in found["unknown"]["versions"]
    assert "DAGSTER_HOME" in found["unknown"]["review"]
    assert {one["model_version"] for one in found["live"]} == {CHAMPION, CHALLENGER, "polymarket/3"}
    assert alone.json("/api/models/2", status=503)["again"]


def test_nothing_at_all_is_a_sentence(tmp_path: Path) -> None:
    with served(settings_of(None)) as console:
        assert "LAKE_ROOT" in console.json("/api/portfolio", status=503)["detail"]
    with served(settings_of(tmp_path)) as console:
        found = console.json("/api/models")
        assert found["live"] == []
        assert console.json("/api/portfolio") == {"at": found_at(console), "accounts": [], "curve": []}
        assert console.json("/api/whales")["orders"] == []


def found_at(console: Console) -> str:
    return str(console.json("/api/portfolio")["at"])


def test_what_answers_and_is_no_tracking_server_is_said(lake: Lake) -> None:
    with served(settings_of(lake)) as other, served(settings_of(lake, mlflow_tracking_uri=other.address)) as console:  # fmt: skip
        assert (
            "the tracking server refused (status 404)" in console.json("/api/models/1", status=503)["detail"]
        )
    with served(settings_of(lake, mlflow_tracking_uri=f"sqlite:///{lake.root}/none.db")) as console:
        assert "the console asks a server" in console.json("/api/models/1", status=503)["detail"]


def test_an_empty_registry_has_no_versions(lake: Lake, tmp_path: Path) -> None:
    with tracked.tracking(tmp_path, filled=False) as (address, _), served(settings_of(lake, mlflow_tracking_uri=address)) as console:  # fmt: skip
        assert console.json("/api/models")["versions"] == []


def test_portfolios_are_those_that_paper_trading_tells(alone: Console, lake: Lake) -> None:
    from polymarket_assets.learning import paper

    (standing,) = paper.portfolio(lake, now=NOW)
    found = alone.json("/api/portfolio")
    (account,) = found["accounts"]
    assert account["realised_usd"] == pytest.approx(standing.realised_usd)
    assert account["verdict"] == standing.verdict
    assert found["curve"][-1]["equity_usd"] == pytest.approx(account["equity_usd"])
    assert len(found["curve"]) == 2
    held = alone.json("/api/portfolio/positions")
    assert held["total"] == account["open"] > 0
    paid = alone.json("/api/portfolio/positions", state="settled", limit=2, offset=1)
    assert paid["total"] == account["settled"]
    assert len(paid["positions"]) == 2
    assert all(one["payout_usd"] is not None for one in paid["positions"])
    assert alone.json("/api/portfolio/positions", model="polymarket/8")["total"] == 0


def test_large_orders_come_newest_first_in_pages(alone: Console) -> None:
    first, second = (alone.json("/api/whales", limit=20, offset=n)["orders"] for n in (0, 20))
    at = [one["traded_at"] for one in (*first, *second)]
    assert at == sorted(at, reverse=True)
    assert len({one["event_id"] for one in (*first, *second)}) == 40
    assert first[0]["market_id"] == HOSTILE
    assert first[0]["page"] == "/market/pm%3A%3Cscript%3Ealert%281%29%3C%2Fscript%3E"
    assert first[0]["usd"] == 5_000


@pytest.mark.parametrize(("given", "total"), [({}, 60), ({"least_usd": 10_000}, 10), ({"market": "pm:3"}, 12), ({"market": "pm:3", "least_usd": 10_000}, 2), ({"offset": 100}, 60)])  # fmt: skip
def test_large_orders_are_chosen_by_dollars_and_market(alone: Console, given: dict[str, object], total: int) -> None:  # fmt: skip
    assert alone.json("/api/whales", **given)["total"] == total


@pytest.mark.parametrize("given", ["least_usd=nan", "least_usd=-1", "limit=0", "limit=501", "offset=-1", "least_usd=x", f"market={'m' * 300}"])  # fmt: skip
def test_what_is_out_of_bounds_is_refused(alone: Console, given: str) -> None:
    assert alone.ask(f"/api/whales?{given}").status_code == 422


def test_an_order_that_came_later_is_there_at_the_next_look(tmp_path: Path) -> None:
    """Files are read once; one that is new or written again must not be missed."""
    from console.models import whales
    from console.place import Place

    made = Lake(tmp_path)
    models_lake.whale_events(made, 3)
    place = Place(settings_of(made), clock=lambda: NOW)
    assert whales.whales(place).rows.num_rows == 3
    models_lake.whale_events(made, 5)
    assert whales.whales(place).rows.num_rows == 5
