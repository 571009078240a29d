"""A thread that works for the loop goes on whatever becomes of a job, and says once what became of it."""

from __future__ import annotations

import logging
import queue
from collections.abc import Callable

import pytest

from polymarket_assets.venue.errors import Unavailable
from streamer.working import MOST_WAITING, Worker

WITHIN_S = 5.0


def fails(error: Exception) -> Callable[[], int]:
    def job() -> int:
        raise error

    return job


@pytest.mark.parametrize(
    ("error", "level", "said"),
    [
        (Unavailable("the venue is away"), logging.WARNING, "books are not compared: the venue is away"),
        (OverflowError("too large"), logging.ERROR, "books are not compared: OverflowError: too large"),
    ],
    ids=["an answer that did not come", "a fault of ours"],
)
def test_after_a_job_that_fails_the_next_are_done(error: Exception, level: int, said: str, caplog: pytest.LogCaptureFixture) -> None:  # fmt: skip
    """A thread that died would take four jobs more, and none for ever; no book would be compared, and nobody told."""
    handed: queue.Queue[Callable[[], None]] = queue.Queue()
    found: list[int | None] = []
    worker = Worker("test", handed.put)
    jobs = [fails(error)] * 3 + [lambda: 7] * (2 * MOST_WAITING)
    for job in jobs:
        assert worker.submit(job, found.append)
        handed.get(timeout=WITHIN_S)()
    assert found == [None] * 3 + [7] * (2 * MOST_WAITING)
    told = [record for record in caplog.records if record.name == "streamer.working"]
    assert [(one.levelno, one.getMessage()) for one in told] == [(level, said)]
    assert bool(told[0].exc_info) == (level == logging.ERROR)
