"""Bad input and faults of a run: one sentence that says what to do, nothing retried in vain, nothing half done."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from polymarket_assets.assets import ALL, collection
from polymarket_assets.assets.markets import markets
from polymarket_assets.assets.running import stopped_for_good, told_plainly
from polymarket_assets.collecting.accounts import Account
from polymarket_assets.collecting.windows import WindowReport
from polymarket_assets.lake import reading
from polymarket_assets.lake.errors import LakeUnwritable
from polymarket_assets.lake.storage import LocalStore
from polymarket_assets.lake.writing import Lake
from polymarket_assets.partitions import hour_before, hour_key
from polymarket_assets.resources import LakeResource, SettingsResource, TrackingResource, VenueResource
from polymarket_assets.tiers import BY_NAME
from polymarket_assets.venue.errors import MalformedPayload, Refused, Unavailable
from polymarket_assets_tests.collecting.fakes import market_row

NOW = datetime.now(UTC)
# Nobody listens there, so a request fails at once.
NOWHERE = "http://127.0.0.1:1"


@pytest.fixture(autouse=True)
def _bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No setting but the test's own."""
    monkeypatch.chdir(tmp_path)
    for variable in ("LAKE_ROOT", "STATE_DIR", "MLFLOW_TRACKING_URI"):
        monkeypatch.delenv(variable, raising=False)


def failure(
    name: str,
    *,
    partition: str | None = None,
    lake: str | None = None,
    config: dict[str, Any] | None = None,
    **settings: str,
) -> dict[str, Any]:
    """Run one asset and return what its failed step says and whether Dagster would try again."""
    asset = next(
        a
        for a in ALL
        if isinstance(a, dg.AssetsDefinition) and name in {key.to_user_string() for key in a.keys}
    )
    told = SettingsResource(replaced=settings)
    resources = {
        "lake": LakeResource(root=lake),
        "settings": told,
        "venue": VenueResource(settings=told),
        "tracking": TrackingResource(),
    }
    given = {"ops": {asset.op.name: {"config": config}}} if config else None
    result = dg.materialize(
        [asset], partition_key=partition, resources=resources, run_config=given, raise_on_error=False
    )
    assert not result.success
    event = next(e for e in result.all_events if e.event_type_value in ("STEP_FAILURE", "STEP_UP_FOR_RETRY"))
    data = event.event_specific_data
    user_failure = getattr(data, "user_failure_data", None)
    said = user_failure.description if user_failure else data.error.message
    return {"said": said, "again": event.event_type_value == "STEP_UP_FOR_RETRY", **_asked(user_failure)}


def _asked(user_failure: Any) -> dict[str, Any]:
    """What a run asked of the venue until it failed, where it asked anything."""
    account = user_failure.metadata["venue"].value if user_failure and user_failure.metadata else {}
    return {"asked": account} if account else {}


@pytest.mark.parametrize("name", ["history_features", "training_set"])
def test_an_unset_lake_root_fails_the_run_in_one_sentence(name: str) -> None:
    partition = "2026-11-01" if name == "history_features" else None
    told = failure(name, partition=partition)
    assert told == {"said": "LAKE_ROOT is not set; for example `export LAKE_ROOT=data/lake`", "again": False}


@pytest.mark.parametrize("name", ["markets", "snapshots/t4", "orderbooks/t0"])
def test_a_past_hour_of_a_live_asset_is_refused_with_what_to_do_instead(name: str, tmp_path: Path) -> None:
    """The venue keeps no past books: inventing an hour would be the worst of all answers."""
    told = failure(
        name,
        partition=hour_before(NOW),
        lake=str(tmp_path / "lake"),
        polymarket_gamma_url=NOWHERE,
        polymarket_clob_url=NOWHERE,
    )
    assert "is over" in told["said"]
    assert "history_" in told["said"]
    assert not told["again"]
    assert not (tmp_path / "lake").exists()


def test_a_window_that_took_nothing_is_no_success() -> None:
    slot = NOW.replace(microsecond=0)
    lost = [Account("t4", slot, "missed", "run", reason="clob did not answer")]
    report = WindowReport(expected=1, taken=0, late=0, missed=1, markets=3, books=0, rows=0, received_bytes=0, first=None, last=None)  # fmt: skip
    with pytest.raises(
        Unavailable, match="none of the 1 slots of T4 could be taken, the last because clob did not answer"
    ):
        collection._require_some(BY_NAME["t4"], report, lost)
    collection._require_some(BY_NAME["t4"], replace(report, late=1, missed=0), [])


def test_an_instant_that_is_none_is_named() -> None:
    with pytest.raises(Refused, match="WINDOW_START='yesterday' is no instant"):
        collection._start(collection.WindowConfig(WINDOW_START="yesterday"))


def test_a_lake_of_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "_lake.json").write_text('{"format": 99}')
    told = failure("training_set", lake=str(tmp_path))
    assert "has format 99" in told["said"]
    assert "update the platform" in told["said"]
    assert not told["again"]
    assert [path.name for path in tmp_path.iterdir()] == ["_lake.json"]


def test_a_malformed_setting_is_named(tmp_path: Path) -> None:
    told = failure("markets", partition=hour_key(NOW), lake=str(tmp_path), rate_share="much")
    assert told["said"].startswith("RATE_SHARE='much' cannot be used")


def test_an_unset_tracking_address_is_named_before_anything_is_trained(tmp_path: Path) -> None:
    told = failure("model", lake=str(tmp_path / "lake"))
    assert "MLFLOW_TRACKING_URI is not set" in told["said"]
    assert not told["again"]


@pytest.mark.parametrize(
    ("error", "again"),
    [
        (Unavailable("the venue does not answer"), True),
        (LakeUnwritable("no space is left"), True),
        (Refused("no such form"), False),
        (MalformedPayload("book", "{", "cut"), False),
    ],
)
def test_an_error_of_the_world_outside_answers_whether_to_try_again(error: Exception, again: bool) -> None:
    """Dagster retries what may pass; repeating a refused request thousands of times helps nobody."""
    with pytest.raises(dg.Failure) as failed, told_plainly():
        raise error
    assert failed.value.allow_retries is again
    assert failed.value.description == str(error)


def test_a_full_disk_fails_the_run_leaves_nothing_half_done_and_is_worth_another_try(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> int:
        raise LakeUnwritable("the lake cannot be written: no space is left")

    monkeypatch.setattr(LocalStore, "write_table", full)
    told = failure(
        "history_features", partition=f"{NOW - timedelta(days=2):%Y-%m-%d}", lake=str(tmp_path / "lake")
    )
    assert "no space is left" in told["said"]
    assert not list(tmp_path.rglob("*.parquet"))


def test_nobody_there_fails_discovery_in_one_sentence_and_another_try(tmp_path: Path) -> None:
    """Called without Dagster around it, which would wait for a minute between its tries."""
    settings = SettingsResource(replaced={"polymarket_gamma_url": NOWHERE})
    lake = LakeResource(root=str(tmp_path / "lake"))
    with (
        dg.build_asset_context(partition_key=hour_key(datetime.now(UTC))) as context,
        pytest.raises(dg.Failure, match=f"gamma did not answer at {NOWHERE}/markets/keyset") as failed,
    ):
        markets(context, lake, VenueResource(settings=settings), settings)
    assert failed.value.allow_retries
    assert not (tmp_path / "lake" / "markets").exists()
    account = failed.value.metadata["venue"].value["gamma"]
    assert account["requests"] > 0
    assert account["breaker"] in ("open", "closed", "half open")


@pytest.mark.parametrize(
    ("known", "why"), [(True, f"clob did not answer at {NOWHERE}/books"), (False, "no market is known")]
)
def test_a_window_without_a_venue_or_a_market_fails_with_its_slots_accounted(
    tmp_path: Path, known: bool, why: str
) -> None:
    lake, now = Lake(tmp_path / "lake"), datetime.now(UTC)
    start = now - BY_NAME["t4"].offset - timedelta(seconds=2)
    if start.hour != now.hour:
        pytest.skip("the hour has only just begun")
    if known:
        row = market_row(1, received_at=now, effective_close=now + timedelta(minutes=30))
        lake.publish_rows("markets", [row], part="0", at=now)
    config = {"WINDOW_START": start.isoformat(), "WINDOW_S": 15.0}
    told = failure(
        "orderbooks/t4",
        partition=hour_key(now),
        lake=lake.root,
        config=config,
        polymarket_clob_url=NOWHERE,
    )
    assert why in told["said"]
    if known:
        assert told["asked"]["clob"]["requests"] > 0
        assert told["asked"]["clob"]["breaker"] == "closed"
    (account,) = reading.rows(lake, "sweeps").to_pylist()
    assert account["status"] == "missed"
    assert why in account["reason"]


def test_a_run_of_history_that_somebody_stops_is_not_begun_anew() -> None:
    """For Dagster an interrupt is one more failure, and the retry policy would run it again ten seconds later."""
    for stop in (KeyboardInterrupt(), dg.DagsterExecutionInterruptedError()):
        with (
            pytest.raises(dg.Failure, match="stopped: nothing of it was published") as told,
            stopped_for_good(),
        ):
            raise stop
        assert told.value.allow_retries is False
