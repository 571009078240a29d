"""What becomes of a message, by how a webhook over a real socket answers; the address is never said."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

from drills import webhook
from drills.webhook import BROKEN, DOWN, LIMITED, OK, SLOW, Webhook
from polymarket_assets.alerting import slack
from polymarket_assets.alerting.messages import Message
from polymarket_assets.alerting.slack import Fate
from polymarket_assets_tests.alerting.looks import at

MESSAGE = Message(id=1, at=at(0), change="opened", kind="disk_full", title="Disk full", lines=["it is"], about=["disk_full"])  # fmt: skip


@pytest.fixture
def hook(monkeypatch: pytest.MonkeyPatch) -> Iterator[Webhook]:
    for module in (slack, webhook):
        monkeypatch.setattr(module, "TIMEOUT_S", 1)
    started = Webhook()
    started.start()
    yield started
    started.stop()


@pytest.mark.parametrize(
    ("mode", "fate", "arrived"),
    [
        (OK, Fate.SENT, 1),
        (LIMITED, Fate.AGAIN, 0),
        (BROKEN, Fate.AGAIN, 0),
        (DOWN, Fate.AGAIN, 0),
        (SLOW, Fate.MAYBE, 1),
    ],
)
def test_the_fate_of_a_message_follows_from_the_answer(hook: Webhook, mode: str, fate: Fate, arrived: int, caplog: pytest.LogCaptureFixture) -> None:  # fmt: skip
    """And each is asked once: a client that tries again by itself would send twice what arrived unanswered."""
    hook.be(mode)
    with caplog.at_level(logging.DEBUG):
        outcome = slack.to(hook.url)(MESSAGE)
    assert outcome.fate is fate
    assert len(hook.arrived) == arrived
    assert hook.asked <= 1
    assert "secret" not in outcome.why + caplog.text


def test_slack_says_itself_for_how_long_it_is_to_be_left_alone(hook: Webhook) -> None:
    hook.be(LIMITED)
    assert slack.to(hook.url)(MESSAGE).after_s == webhook.RETRY_AFTER_S


@pytest.mark.parametrize("address", ["https://hooks.slack.example/secret x", "https://hooks.slack.example:secret/x", "http://", "https://hooks.slack.example/secretü"])  # fmt: skip
def test_an_address_that_cannot_be_used_loses_no_message_and_is_not_repeated(address: str) -> None:
    outcome = slack.to(address)(MESSAGE)
    assert outcome.fate is Fate.AGAIN
    assert "secret" not in outcome.why


@pytest.mark.parametrize("status", [403, 404, 410])
def test_a_webhook_that_was_revoked_is_said_to_be(status: int) -> None:
    outcome = slack._refused(status, None, "no_service")
    assert outcome.fate is Fate.AGAIN
    assert f"Slack answered {status} no_service: the webhook was revoked" in outcome.why
    assert "revoked" not in slack._refused(500, None, "").why


def test_without_a_webhook_messages_go_to_the_log(caplog: pytest.LogCaptureFixture) -> None:
    assert slack.to(None)(MESSAGE).fate is Fate.SENT
    assert "Disk full\nit is" in caplog.text
