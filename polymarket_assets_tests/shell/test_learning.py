"""The shell of learning: when models are asked and made again, and what runs do when they come too late."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

import dagster as dg
import pytest

from polymarket_assets.assets.live import LATE, PastHour, _as_of, predictions
from polymarket_assets.lake.spans import HOUR, Span, hour_of
from polymarket_assets.lake.writing import Lake
from polymarket_assets.learning.live import FILED_S
from polymarket_assets.learning.tracking.registry import Followed, Registry
from polymarket_assets.partitions import hour_key, utc_now
from polymarket_assets.resources import LakeResource, SettingsResource, TrackingResource
from polymarket_assets.sensors import SCORED, enough_to_learn, windows_over
from polymarket_assets_tests.learning.rows import publish, resolution

SECOND = timedelta(seconds=1)


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as made:
        yield made


def materialise(instance: dg.DagsterInstance, *keys: dg.AssetKey | str) -> None:
    for key in keys:
        instance.report_runless_asset_event(dg.AssetMaterialization(key))


def windows(
    instance: dg.DagsterInstance, cursor: str | None = None
) -> tuple[dg.RunRequest | dg.SkipReason, str | None]:
    context = dg.build_sensor_context(instance=instance, cursor=cursor)
    found = windows_over(context)
    assert isinstance(found, dg.RunRequest | dg.SkipReason)
    return found, context.cursor


def test_models_are_asked_when_windows_are_over_and_once_for_all_tiers(instance: dg.DagsterInstance) -> None:
    materialise(instance, "model", *SCORED)
    found, cursor = windows(instance)
    assert isinstance(found, dg.RunRequest)
    assert found.partition_key == hour_key(utc_now())
    materialise(instance, SCORED[0])
    again, _ = windows(instance, cursor)
    assert isinstance(again, dg.SkipReason), "another tier of the same quarter of an hour"


def test_windows_after_the_last_time_are_asked_about_again(instance: dg.DagsterInstance) -> None:
    materialise(instance, "model", *SCORED)
    before = (utc_now() - timedelta(minutes=15)).isoformat()
    found, _ = windows(instance, before)
    assert isinstance(found, dg.RunRequest)
    later = (utc_now() + SECOND).isoformat()
    assert isinstance(windows(instance, later)[0], dg.SkipReason)


@pytest.mark.parametrize(("there", "said"), [((), "no window"), (SCORED, "no model")])
def test_without_windows_or_a_model_nobody_is_asked(instance: dg.DagsterInstance, there: tuple[dg.AssetKey, ...], said: str) -> None:  # fmt: skip
    materialise(instance, *there)
    found, _ = windows(instance)
    assert isinstance(found, dg.SkipReason)
    assert said in str(found.skip_message)


def learn(lake: Lake, instance: dg.DagsterInstance, cursor: str | None = None) -> tuple[dg.RunRequest | dg.SkipReason, str | None]:  # fmt: skip
    context = dg.build_sensor_context(instance=instance, cursor=cursor, resources={"lake": LakeResource(root=lake.root)})  # fmt: skip
    found = enough_to_learn(context)
    assert isinstance(found, dg.RunRequest | dg.SkipReason)
    return found, context.cursor


def test_a_first_model_is_made_as_soon_as_there_is_enough_and_asked_for_once_a_day(lake: Lake, instance: dg.DagsterInstance) -> None:  # fmt: skip
    found, cursor = learn(lake, instance)
    assert isinstance(found, dg.SkipReason)
    publish(lake, "resolutions", [resolution(f"pm:{n}", utc_now() - HOUR, n % 2) for n in range(40)])
    found, cursor = learn(lake, instance, cursor)
    assert isinstance(found, dg.RunRequest)
    again, _ = learn(lake, instance, cursor)
    assert isinstance(again, dg.SkipReason), "one that failed is not asked for at every look"


def test_a_model_of_this_week_is_not_made_again(lake: Lake, instance: dg.DagsterInstance) -> None:
    publish(lake, "resolutions", [resolution(f"pm:{n}", utc_now() - HOUR, n % 2) for n in range(600)])
    materialise(instance, "model")
    found, _ = learn(lake, instance)
    assert isinstance(found, dg.SkipReason)
    assert "a week later" in str(found.skip_message)


BEGAN = hour_of(utc_now())
THIS_HOUR = Span.hour(BEGAN)


@pytest.mark.parametrize(
    ("now", "as_of"),
    [
        (BEGAN + timedelta(minutes=20, microseconds=5), BEGAN + timedelta(minutes=18, seconds=45)),
        (BEGAN + HOUR + timedelta(minutes=5), BEGAN + HOUR - SECOND),
        (BEGAN + timedelta(seconds=30), BEGAN),
    ],
    ids=[
        "within its hour",
        "waited in a queue over the end of it",
        "began before all of the hour before was filed",
    ],
)
def test_predictions_are_of_the_hour_of_their_run_and_of_what_was_filed(
    now: datetime, as_of: datetime
) -> None:
    """What was heard but not filed would be among the features of a replay, and was not among those of then."""
    assert _as_of(THIS_HOUR, now, timedelta(seconds=FILED_S)) == as_of


def test_an_hour_that_is_over_is_not_predicted() -> None:
    """It would not be stored before the outcome, and look as if it was."""
    with pytest.raises(PastHour, match="cannot be predicted any more"):
        _as_of(THIS_HOUR, BEGAN + HOUR + LATE, timedelta(0))


def test_a_model_that_is_not_asked_is_named_with_the_reason(monkeypatch: pytest.MonkeyPatch, lake: Lake, instance: dg.DagsterInstance) -> None:  # fmt: skip
    """Left out in silence it would look as if nobody had named it."""
    why = "the files of polymarket/3 are not there"
    monkeypatch.setattr(Registry, "followed", lambda self: Followed({}, {"shadow": why}))
    resources = {"lake": LakeResource(root=lake.root), "tracking": TrackingResource(uri="sqlite://"), "settings": SettingsResource()}  # fmt: skip
    deps = [dg.AssetSpec(key) for key in predictions.dependency_keys]
    ran = dg.materialize([*deps, predictions], instance=instance, resources=resources, selection=[predictions], partition_key=hour_key(utc_now()))  # fmt: skip
    (told,) = ran.asset_materializations_for_node("predictions")
    assert told.metadata["not_asked"].value == {"shadow": why}
