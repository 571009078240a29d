"""A setting that is missing or malformed is named in one sentence."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from polymarket_assets.settings import NotConfigured, Settings, load
from polymarket_assets.tiers import TIERS, tier_of


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No `.env` of a developer's own reaches these tests."""
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("RATE_SHARE", "much", "RATE_SHARE='much' cannot be used"),
        ("RATE_SHARE", "0", "RATE_SHARE='0' cannot be used"),
        ("STREAM_TIERS", "t3,t9", "unknown tier 't9'"),
        ("DAGSTER_PORT", "70000", "DAGSTER_PORT='70000' cannot be used"),
        ("STREAM_MAX_TOKENS_PER_CONNECTION", "900", "STREAM_MAX_TOKENS_PER_CONNECTION='900'"),
        ("RETENTION_DAYS_TRADES", "long", "RETENTION_DAYS"),
        ("RETENTION_DAYS_TRADES", "-3", "trades would be kept for -3 days"),
        ("RETENTION_DAYS_TRADEZ", "3", "there is no table 'tradez'"),
        ("STREAM_TIERS", "", "name at least one tier"),
        ("STREAM_SHARD", "1", "STREAM_SHARD=1 is none of them"),
        ("POLYMARKET_WS_URL", "venue.example", "an address begins with ws:// or wss://"),
        ("POLYMARKET_CLOB_URL", "venue.example", "an address begins with http:// or https://"),
        ("POLYMARKET_GAMMA_URL", "https://", "an address names a host"),
        ("STREAM_SILENCE_S", "nan", "STREAM_SILENCE_S='nan' cannot be used"),
        ("STREAM_STATUS_HOST", "", "it is the address or name of one interface"),
        ("STREAM_STATUS_HOST", "127.0.0.1,10.0.0.1", "it is the address or name of one interface"),
        ("STREAM_STATUS_HOST", "http://streamer", "it is the address or name of one interface"),
        ("CONSOLE_HOST", "http://console", "it is the address or name of one interface"),
        ("CONSOLE_URL", "console.example", "an address begins with http:// or https://"),
        ("CONSOLE_PORT", "0", "CONSOLE_PORT='0' cannot be used"),
        ("STREAM_STATUS_URLS", "streamer:8081", "each is the address of a streamer's status"),
        ("STREAM_STATUS_URLS", "http://one:8081,http://:8081", "each is the address of a streamer's status"),
        ("STREAM_STATUS_URLS", "http://one:port", "each is the address of a streamer's status"),
        ("STREAM_STATUS_URLS", "http://one:8081/health", "each is the address of a streamer's status"),
        ("STREAM_STATUS_URLS", "http://me:secret@one:8081", "each is the address of a streamer's status"),
        ("STREAM_STATUS_URLS", "http://one:8081,http://one:8081/", "an address is named twice"),
        ("SLACK_WEBHOOK_URL", "https://hooks.slack.com/services/x y", "it is an address as Slack shows it"),
        ("SLACK_WEBHOOK_URL", "https://hooks.slack.com:port/x", "it is an address as Slack shows it"),
        ("SLACK_WEBHOOK_URL", "https://hooks.slack.com/services/ü", "it is an address as Slack shows it"),
        ("SLACK_WEBHOOK_URL", "https:///services/x", "it is an address as Slack shows it"),
        ("ALERT_MUTED", "stream_,streamer", "no alert begins with 'streamer'"),
        ("ALERT_MUTED", "tier_silentt:t0", "no alert begins with 'tier_silentt:t0'"),
        ("MLFLOW_TRACKING_URI", "nonsense", "it is an address, for example http://127.0.0.1:5000"),
    ],
)
def test_a_malformed_variable_is_named_with_what_it_holds(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, said: str
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(NotConfigured, match=said.replace("(", r"\(")):
        load()


def test_a_missing_place_is_named_with_an_example(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("LAKE_ROOT", "STATE_DIR", "MLFLOW_TRACKING_URI"):
        monkeypatch.delenv(variable, raising=False)
    settings = load()
    for need in (settings.need_lake_root, settings.need_state_dir, settings.need_mlflow_tracking_uri):
        with pytest.raises(NotConfigured, match=r"is not set; for example `export "):
            need()


def test_lists_and_retention_are_read_from_plain_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UNIVERSE_TAGS", "politics, sports,")
    monkeypatch.setenv("RETENTION_DAYS_ORDERBOOKS", "30")
    settings = load()
    assert settings.universe_tags == ("politics", "sports")
    assert settings.retention_days == {"orderbooks": 30}


@pytest.mark.parametrize(
    ("muted", "key", "is_muted"),
    [
        ("", "stream_dead", False),
        ("stream_", "stream_dead:streamer-1:8081", True),
        ("stream_, tier_silent:t0", "tier_silent:t0", True),
        ("stream_, tier_silent:t0", "tier_silent:t4", False),
        ("whale", "whale:abc", True),
    ],
)
def test_alerts_are_muted_by_what_their_keys_begin_with(monkeypatch: pytest.MonkeyPatch, muted: str, key: str, is_muted: bool) -> None:  # fmt: skip
    monkeypatch.setenv("ALERT_MUTED", muted)
    assert load().is_muted(key) is is_muted


@pytest.mark.parametrize(
    ("told", "asked"),
    [
        ({}, ("http://127.0.0.1:8081",)),
        ({"STREAM_STATUS_PORT": "9000"}, ("http://127.0.0.1:9000",)),
        ({"STREAM_STATUS_URLS": " "}, ("http://127.0.0.1:8081",)),
        ({"STREAM_STATUS_URLS": "http://streamer:8081/, https://streamer-1"}, ("http://streamer:8081", "https://streamer-1")),
    ],
)  # fmt: skip
def test_streamers_are_asked_where_they_are_said_to_be(monkeypatch: pytest.MonkeyPatch, told: dict[str, str], asked: tuple[str, ...]) -> None:  # fmt: skip
    for variable, value in told.items():
        monkeypatch.setenv(variable, value)
    assert load().stream_statuses == asked


def test_folders_are_seen_from_where_the_process_started(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Processes that a supervisor starts elsewhere must mean the same places, and Dagster wants them absolute."""
    for variable in ("LAKE_ROOT", "STATE_DIR", "DAGSTER_HOME"):
        monkeypatch.setenv(variable, f"data/{variable.lower()}")
    settings = load()
    assert settings.need_lake_root() == str(tmp_path / "data" / "lake_root")
    assert settings.need_state_dir() == tmp_path / "data" / "state_dir"
    assert settings.dagster_home == tmp_path / "data" / "dagster_home"
    monkeypatch.setenv("LAKE_ROOT", "s3://bucket/lake")
    assert load().need_lake_root() == "s3://bucket/lake"


def test_a_file_beside_the_process_is_read_and_the_environment_wins(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:  # fmt: skip
    (tmp_path / ".env").write_text("RATE_SHARE=0.25\nRETENTION_DAYS_TRADES=3\nRETENTION_DAYS_SWEEPS=9\n")
    monkeypatch.setenv("RETENTION_DAYS_SWEEPS", "7")
    assert load().rate_share == 0.25
    assert load().retention_days == {"trades": 3, "sweeps": 7}


@pytest.mark.parametrize(
    ("host", "asked"),
    [
        ("127.0.0.1", "127.0.0.1"),
        ("127.0.0.2", "127.0.0.2"),
        ("0.0.0.0", "127.0.0.1"),
        ("::", "[::1]"),
        ("fd00::7", "[fd00::7]"),
    ],
)
def test_the_streamer_of_this_machine_is_asked_where_it_listens(host: str, asked: str) -> None:
    told = load(stream_status_host=host, stream_status_port=8081, stream_status_urls=())
    assert told.stream_statuses == (f"http://{asked}:8081",)
    assert load(stream_status_urls=told.stream_statuses).stream_statuses == told.stream_statuses


def test_every_setting_says_what_it_is() -> None:
    assert all(field.description for field in Settings.model_fields.values())


@pytest.mark.parametrize(
    ("hours", "tier"),
    [
        (400, "t0"),
        (48.01, "t0"),
        (48, "t1"),
        (12, "t2"),
        (4, "t3"),
        (1.01, "t3"),
        (1, "t4"),
        (0, "t4"),
        (-30, "t4"),
    ],
)
def test_a_market_falls_in_the_tier_of_what_is_left(hours: float, tier: str) -> None:
    assert tier_of(timedelta(hours=hours)).name == tier


def test_no_two_tiers_take_their_first_slot_at_once() -> None:
    """Runs start seconds apart; the nearest tier must be ready first."""
    offsets = [tier.offset for tier in TIERS]
    assert offsets == sorted(offsets, reverse=True)
    assert len(set(offsets)) == len(offsets)
