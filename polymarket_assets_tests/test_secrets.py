"""What lets somebody in is shown nowhere: not in errors, logs, metadata of Dagster, nor with a model in MLflow."""

from __future__ import annotations

import logging
import time
import traceback
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from launch import up
from polymarket_assets import venue
from polymarket_assets.learning.tracking import links, server
from polymarket_assets.masking import masked
from polymarket_assets.settings import NotConfigured, Settings, load
from polymarket_assets.venue.errors import PolymarketError
from polymarket_assets.venue.http import Call
from polymarket_assets_tests.venue.server import Told, serving
from streamer import sockets

PASSWORD = "s3cr3t-Pa55"
HOOK = f"https://hooks.slack.com/services/T0/B0/{PASSWORD}"
# Nobody answers there.
NOWHERE = f"http://user:{PASSWORD}@127.0.0.1:9"


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (f"http://user:{PASSWORD}@host:5000/path", "http://host:5000/path"),
        (f"postgresql://user:{PASSWORD}@db/dagster?sslmode=require", "postgresql://db/dagster?sslmode=require"),
        (f"postgresql://db/dagster?user=u&password={PASSWORD}&x=1", "postgresql://db/dagster?user=u&password=***&x=1"),
        (f"s3://AKIA:{PASSWORD}@bucket/lake", "s3://bucket/lake"),
        (f"https://host/f?X-Amz-Signature={PASSWORD}&X-Amz-Date=1", "https://host/f?X-Amz-Signature=***&X-Amz-Date=1"),
        (f"s3://bucket?access_key=A&secret_key={PASSWORD}", "s3://bucket?access_key=***&secret_key=***"),
        (HOOK, "https://hooks.slack.com/***"),
        (f"two: http://a:{PASSWORD}@x and http://b:{PASSWORD}@y", "two: http://x and http://y"),
        ("http://user:s3cr3t-Pa55/s3cr3t-Pa55+==@host:5000/path", "http://host:5000/path"),
        ("user:s3cr3t-Pa55/s3cr3t-Pa55@host", "host"),
        *((f"wss://host/ws?a=1&{name}={PASSWORD}", f"wss://host/ws?a=1&{name}=***") for name in ("apikey", "authtoken", "accessKey", "pass", "userpass", "passphrase")),
        ("https://polymarket.example/@somebody?tid=1", "https://polymarket.example/@somebody?tid=1"),
        ("https://clob.example/book?token_id=123&next_cursor=abc", "https://clob.example/book?token_id=123&next_cursor=abc"),
        ("a market about who@where, and what? key=open", "a market about who@where, and what? key=open"),
    ],
)  # fmt: skip
def test_an_address_is_shown_without_what_lets_somebody_in(text: str, shown: str) -> None:
    assert masked(text) == shown
    assert PASSWORD not in masked(text)


@pytest.mark.parametrize("text", ["a:" * 50_000, "?" + "key" * 20_000], ids=["colons", "a name without end"])
def test_however_long_a_text_is_it_is_shown_soon(text: str) -> None:
    """What a library says of an answer may be long; looked through from each of its characters to its end, it took minutes."""
    began = time.monotonic()
    assert masked(text) == text
    assert time.monotonic() - began < 10


def test_settings_do_not_show_a_secret_when_they_are_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    """A line of a log that says with which settings a process runs must not say this."""
    monkeypatch.setenv("SLACK_WEBHOOK_URL", HOOK)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", NOWHERE)
    settings = load()
    assert settings.slack_webhook_url is not None
    assert settings.slack_webhook_url.get_secret_value() == HOOK
    assert (
        PASSWORD not in f"{settings} {settings!r} {settings.model_dump_json(exclude={'mlflow_tracking_uri'})}"
    )


# What may hold a secret, by its name: whoever adds one must type it so.
SECRETIVE = ("password", "secret", "webhook", "access_key", "api_key", "auth_token")


@pytest.mark.parametrize("name", Settings.model_fields)
def test_every_setting_that_is_a_secret_by_its_name_is_typed_as_one(name: str) -> None:
    is_secret = "SecretStr" in str(Settings.model_fields[name].annotation)
    assert is_secret == any(word in name for word in SECRETIVE)


def whole(error: BaseException) -> str:
    """An error with everything that led to it, as a log or Dagster shows it."""
    return "".join(traceback.format_exception(error))


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("MLFLOW_TRACKING_URI", f"user:{PASSWORD}@host"),
        ("POLYMARKET_GAMMA_URL", f"ftp://user:{PASSWORD}@host"),
        ("POLYMARKET_WS_URL", f"http://host?api_key={PASSWORD}"),
    ],
)
def test_an_error_about_a_malformed_variable_does_not_show_its_secret(variable: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    """Also with another variable beside it that is in order."""
    monkeypatch.setenv("SLACK_WEBHOOK_URL", HOOK)
    monkeypatch.setenv(variable, value)
    with pytest.raises(NotConfigured, match=f"^{variable}=") as raised:
        load()
    assert PASSWORD not in whole(raised.value)


def test_an_error_about_a_secret_shows_nothing_of_it() -> None:
    with pytest.raises(NotConfigured, match=r"^SLACK_WEBHOOK_URL=\*\*\* cannot be used") as raised:
        load(slack_webhook_url=HOOK.removeprefix("https://"))
    assert PASSWORD not in whole(raised.value)


def _ask_the_venue() -> None:
    with_password = {f"polymarket_{name}_url": NOWHERE for name in ("gamma", "clob", "data")}
    connected = venue.connect(Settings(_env_file=None, **with_password))
    connected.clob.service.attempts = 1
    try:
        connected.clob.book("1")
    finally:
        connected.close()


def _refused_by_the_venue() -> None:
    with serving() as running:
        running.on("/thing", Told(400, b"no"))
        address = running.url.replace("://", f"://user:{PASSWORD}@")
        connected = venue.connect(Settings(_env_file=None, polymarket_clob_url=address))
        connected.clob.service.ask(Call("/thing", (), [("api_key", PASSWORD)]), msgspec.json.Decoder())


def _no_address() -> None:
    connected = venue.connect(Settings(_env_file=None, polymarket_clob_url=f"http://user:{PASSWORD}@*.host"))
    connected.clob.book("1")


ERRORS: dict[str, Callable[[], object]] = {
    "a venue that is not there": _ask_the_venue,
    "an address that is none": _no_address,
    "a venue that refuses": _refused_by_the_venue,
    "a market socket that is not there": lambda: sockets.connect(f"ws://user:{PASSWORD}@127.0.0.1:9/ws", ["1"]),
    "a tracking server that is not there": lambda: server.require(NOWHERE),
    "a platform whose venue is not there": lambda: up.require_venue(Settings(_env_file=None, polymarket_clob_url=NOWHERE)),
}  # fmt: skip


@pytest.mark.parametrize("what", ERRORS)
def test_no_error_and_no_line_of_a_log_says_a_password(what: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with pytest.raises(PolymarketError) as raised:
        ERRORS[what]()
    assert PASSWORD not in str(raised.value)
    ours = [r.getMessage() for r in caplog.records if r.name.split(".")[0] in ("polymarket_assets", "streamer", "launch")]  # fmt: skip
    assert PASSWORD not in " ".join(ours)


def test_links_in_metadata_and_on_pages_carry_no_account(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(links, "_experiment", lambda _: "1")
    for link in (links.of_run(NOWHERE, "r"), links.of_runs(NOWHERE), links.of_versions(NOWHERE)):
        assert link is not None
        assert link.startswith("http://127.0.0.1:9/#/")


def test_nothing_of_the_environment_goes_with_a_model(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Whoever may look at runs may not therefore look at passwords."""
    import mlflow

    for name in (
        "SLACK_WEBHOOK_URL",
        "POSTGRES_PASSWORD",
        "AWS_SECRET_ACCESS_KEY",
        "MLFLOW_TRACKING_PASSWORD",
    ):
        monkeypatch.setenv(name, HOOK if "SLACK" in name else PASSWORD)
    uri = f"sqlite:///{tmp_path / 'mlflow.db'}"
    with server.bound(uri) as bound:
        bound.set_experiment("secrets")
        with bound.start_run(tags={"code_version": "1"}) as run:
            pass
        kept = mlflow.MlflowClient(uri).get_run(run.info.run_id)
    assert PASSWORD not in str(kept.to_dictionary())
