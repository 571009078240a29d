"""The one way a request goes out: limits, breaker, retries, bounds, counts and logs.

Not safe for threads: a `requests.Session` is not, and the breaker lets one call through at a time. A thread
that talks to the venue opens its own.
"""

from __future__ import annotations

import contextlib
import logging
import math
import random
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import version
from typing import Generic, TypeVar

import requests
import stamina
from stamina.instrumentation import RetryDetails, set_on_retry_hooks
from urllib3.exceptions import HTTPError

from polymarket_assets.masking import masked
from polymarket_assets.venue import answers
from polymarket_assets.venue.answers import Form
from polymarket_assets.venue.breaker import Breaker
from polymarket_assets.venue.errors import BreakerOpen, OutOfTime, Refused, Unavailable, Unreachable
from polymarket_assets.venue.limits import LONGEST_WAIT_S, Limits

log = logging.getLogger(__name__)

Wire = TypeVar("Wire")
Params = Sequence[tuple[str, str]]

USER_AGENT = f"polymarket-assets/{version('polymarket-assets')}"
CONNECT_S, READ_S = 10.0, 30.0
# A venue's restart takes ninety seconds; a caller with slots to keep rather misses one than waits for that.
ATTEMPTS = 4
ATTEMPTS_WITHIN_S = 60.0
# Waits are drawn between 0 and a bound that doubles ("full jitter"), so that processes do not come back together.
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.5, 8.0
# The longest wait a service may ask for before the caller is told instead.
LONGEST_RETRY_AFTER_S = 30.0
# With less time than this left nothing is asked: an answer that is waited for no longer would be held against the service.
LEAST_S = 1.0


def _tell(details: RetryDetails) -> None:
    log.warning("asking again in %.1f s: %s", details.wait_for, details.caused_by)


# Left alone, stamina writes through structlog if that is installed: to standard output, past all our handlers.
set_on_retry_hooks([_tell])

TOO_MANY = 429
ANSWERS_OF_THE_MISSING = frozenset({404, 410, 422})


@dataclass
class Traffic:
    """What went over the wire since the service was opened; retries are requests too."""

    requests: int = 0
    retries: int = 0
    bytes: int = 0
    # Answers that said we ask too much.
    throttled: int = 0
    # Seconds that our limits made us wait.
    waited_s: float = 0.0


@dataclass(frozen=True)
class Call:
    """A request, and how its answer is bounded and read."""

    path: str
    groups: tuple[str, ...]
    params: Params = ()
    # A JSON body makes it a POST.
    json: bytes | None = None
    cap: int = answers.CAP_BYTES
    # Statuses by which the service says that there is no such thing.
    gone: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Answer(Generic[Wire]):
    """A decoded answer, its bytes over the wire, and when the request that was answered went out."""

    value: Wire
    bytes: int
    asked_at: datetime


@dataclass
class Service:
    """One of the venue's services."""

    name: str
    url: str
    limits: Limits
    breaker: Breaker
    attempts: int = ATTEMPTS
    timeouts: tuple[float, float] = (CONNECT_S, READ_S)
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    dice: random.Random = field(default_factory=random.Random)
    traffic: Traffic = field(default_factory=Traffic)
    session: requests.Session = field(default_factory=requests.Session)

    def __post_init__(self) -> None:
        self.url = self.url.rstrip("/")
        self.session.headers.update({"User-Agent": USER_AGENT, "Accept": "application/json"})
        # That an address is none, the first request tells.
        with contextlib.suppress(ValueError):
            _read_environment(self.session, self.url)

    def ask(self, call: Call, form: Form[Wire], *, until: datetime | None = None) -> Answer[Wire]:
        """The answer to a call, after as many attempts as it is worth and as fit before `until` (None: a minute or two).

        Raises:
            Unavailable: none of the attempts was answered, the service is being left alone, or time is over.
            Gone, TooLarge, Refused: repeating it cannot help.
            MalformedPayload: the answer is not of the form agreed.
        """
        again = _Again(self.dice, partial(self._left_s, until))
        for attempt in stamina.retry_context(on=again, attempts=self.attempts, timeout=ATTEMPTS_WITHIN_S):
            with attempt:
                self._wait(call, until)
                self.traffic.retries += attempt.num > 1
                return self.breaker.call(partial(self._once, call, form, until))
        raise AssertionError("the last attempt returns or raises")

    @property
    def address(self) -> str:
        """Where it is asked, as it may be shown."""
        return masked(self.url)

    def account(self) -> dict[str, int | float | str]:
        """What went over the wire so far, what our limits and the venue's cost, and how the breaker stands."""
        breaker = {"breaker": self.breaker.state, "breaker_opened": self.breaker.opened}
        return {**asdict(self.traffic), **breaker}

    def close(self) -> None:
        self.session.close()

    def _left_s(self, until: datetime | None) -> float:
        return math.inf if until is None else (until - self.clock()).total_seconds()

    def _wait(self, call: Call, until: datetime | None) -> None:
        """Wait for our turn, outside the breaker: what our own limits delay is no failure of the service."""
        if self.breaker.left_s() > 0:
            return
        left_s, began = self._left_s(until), time.monotonic()
        if left_s < LEAST_S:
            raise OutOfTime(f"{self.name} {call.path} was not asked: time is over")
        try:
            self.limits.wait("all", self.name, *call.groups, within_s=min(LONGEST_WAIT_S, left_s - LEAST_S))
        finally:
            self.traffic.waited_s += time.monotonic() - began

    def _once(self, call: Call, form: Form[Wire], until: datetime | None) -> Answer[Wire]:
        request_id, asked_at, began = uuid.uuid4().hex, self.clock(), time.monotonic()
        left_s = max(LEAST_S, self._left_s(until))
        self.traffic.requests += 1
        outcome, level = "nothing", logging.WARNING
        try:
            with self._send(call, request_id, left_s) as response:
                outcome = str(response.status_code)
                self._heed(call, response)
                content, size = answers.body(response, call.cap, left_s - (time.monotonic() - began))
                self.traffic.bytes += size
                answers.check(response, content, call.gone, self.clock)
                level = logging.DEBUG
                value = answers.decoded(form, content, answers.address(response))
                return Answer(value, size, asked_at)
        except (requests.exceptions.InvalidURL, requests.exceptions.InvalidSchema) as e:
            raise Refused(f"{self.name} cannot be asked at {self.address!r}: {masked(str(e))}") from e
        except requests.exceptions.MissingSchema as e:
            raise Refused(f"{self.name} cannot be asked at {self.address!r}: write it with https://") from e
        except (requests.RequestException, HTTPError) as e:
            outcome = type(e).__name__
            raise Unreachable(f"{self.name} did not answer at {self.address}{call.path} ({outcome})") from e
        finally:
            took_ms = (time.monotonic() - began) * 1000
            log.log(
                level, "%s %s -> %s in %.0f ms, id %s", self.name, call.path, outcome, took_ms, request_id
            )

    def _heed(self, call: Call, response: requests.Response) -> None:
        """What the answer says of our pace: all who share the limits are told."""
        groups = call.groups or (self.name,)
        if response.status_code != TOO_MANY:
            self.limits.answered(groups)
            return
        self.traffic.throttled += 1
        asked_s = answers.retry_after_s(response.headers.get("Retry-After"), self.clock())
        left_s = self.limits.throttled(groups, asked_s)
        log.warning("%s %s: too many requests, nobody asks for %.1f s", self.name, call.path, left_s)

    def _send(self, call: Call, request_id: str, left_s: float) -> requests.Response:
        headers = {"X-Request-Id": request_id}
        connect_s, read_s = self.timeouts
        if call.json is not None:
            headers["Content-Type"] = "application/json"
        return self.session.request(
            "GET" if call.json is None else "POST",
            self.url + call.path,
            params=list(call.params),
            data=call.json,
            headers=headers,
            timeout=(min(connect_s, left_s), min(read_s, left_s)),
            allow_redirects=False,
            stream=True,
        )


def _read_environment(session: requests.Session, url: str) -> None:
    """Proxies and certificates are the environment's; asked for once, since `requests` reads all of it for every request."""
    told = session.merge_environment_settings(url, {}, None, None, None)
    session.proxies, session.verify, session.trust_env = told["proxies"], told["verify"], False


class _Again:
    """Whether, and after how long, a failed attempt is repeated."""

    def __init__(self, dice: random.Random, left_s: Callable[[], float]) -> None:
        self._dice, self._left_s = dice, left_s
        self._bound_s = FIRST_PAUSE_S

    def __call__(self, error: Exception) -> bool | float:
        if not isinstance(error, Unavailable) or isinstance(error, BreakerOpen | OutOfTime):
            return False
        pause_s = self._pause_s(error)
        return pause_s <= min(LONGEST_RETRY_AFTER_S, self._left_s() - LEAST_S) and pause_s

    def _pause_s(self, error: Unavailable) -> float:
        bound_s, self._bound_s = self._bound_s, min(self._bound_s * 2, LONGEST_PAUSE_S)
        return self._dice.uniform(0, bound_s) if error.retry_after_s is None else error.retry_after_s
