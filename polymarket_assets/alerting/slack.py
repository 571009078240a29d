"""Slack: handing one message over to its webhook, and what became of that."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from http.client import HTTPException, InvalidURL
from urllib.error import URLError

from polymarket_assets.alerting.messages import Message

log = logging.getLogger(__name__)

# Slack answers in tenths of a second; a few such waits fit into a look.
TIMEOUT_S = 4
# A webhook takes about one a second.
RETRY_S = 30.0
# No answer asks for longer than this in earnest.
MOST_RETRY_S = 3_600.0
# About the webhook and not about the message: a person can mend it, and then it arrives.
_REVOKED = (403, 404, 410)


class Fate(StrEnum):
    """What became of a message."""

    SENT = "sent"
    # It did not arrive: again, later.
    AGAIN = "again"
    # It may have arrived: not again.
    MAYBE = "maybe"
    # It can never arrive as it is.
    REFUSED = "refused"


@dataclass(frozen=True)
class Outcome:
    """The fate of a message, when to try again, and why."""

    fate: Fate
    after_s: float = 0.0
    why: str = ""


Send = Callable[[Message], Outcome]


def to(url: str | None) -> Send:
    """How messages are sent: to a webhook, or without one to the log."""
    return _logged if url is None else lambda message: _sent(url, message)


def _logged(message: Message) -> Outcome:
    log.warning("alert (SLACK_WEBHOOK_URL is not set): %s", message.text)
    return Outcome(Fate.SENT)


def _sent(url: str, message: Message) -> Outcome:
    """The webhook's address is a secret: no sentence of ours repeats it."""
    from slack_sdk.errors import SlackRequestError
    from slack_sdk.webhook import WebhookClient

    # Its own retries would send again what may have arrived.
    client = WebhookClient(url, timeout=TIMEOUT_S, retry_handlers=[], logger=_quiet())
    try:
        answer = client.send(text=message.text[:3_000], blocks=message.blocks())
    except URLError as e:
        # urllib raises it until the request is out: no name, no connection, or not the whole message.
        return Outcome(Fate.AGAIN, RETRY_S, f"Slack cannot be reached: {e.reason}")
    except UnicodeDecodeError as e:
        return _unanswered(e)
    except (InvalidURL, SlackRequestError, ValueError) as e:
        # The settings refuse most of these. Raised before anything is sent; what it says may repeat the address.
        return Outcome(Fate.AGAIN, RETRY_S, f"the webhook's address cannot be used ({type(e).__name__}): set SLACK_WEBHOOK_URL as Slack shows it")  # fmt: skip
    except (OSError, HTTPException) as e:
        return _unanswered(e)
    if answer.status_code == 200:
        return Outcome(Fate.SENT)
    return _refused(answer.status_code, answer.headers.get("Retry-After"), str(answer.body)[:100])


def _unanswered(error: Exception) -> Outcome:
    return Outcome(Fate.MAYBE, 0.0, f"Slack took the message and gave no answer, or none within {TIMEOUT_S} s ({type(error).__name__})")  # fmt: skip


def _refused(status: int, after: object, said: str) -> Outcome:
    why = f"Slack answered {status} {said}"
    if status == 429:
        return Outcome(Fate.AGAIN, _seconds(after), why)
    if status in _REVOKED:
        return Outcome(Fate.AGAIN, RETRY_S, f"{why}: the webhook was revoked, or its channel is gone; make another and set SLACK_WEBHOOK_URL, until then no alert arrives")  # fmt: skip
    # 400 is about the message.
    return Outcome(Fate.REFUSED, 0.0, why) if status == 400 else Outcome(Fate.AGAIN, RETRY_S, why)


def _seconds(told: object) -> float:
    try:
        return min(max(float(str(told)), 1.0), MOST_RETRY_S)
    except ValueError:
        return RETRY_S


def _quiet() -> logging.Logger:
    """The client's own log, which would name the address."""
    quiet = logging.getLogger(f"{__name__}.client")
    quiet.propagate, quiet.disabled = False, True
    return quiet
