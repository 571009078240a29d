"""Switches: schedules and sensors that a person turned off, which nobody stands in for."""

from __future__ import annotations

from polymarket_assets.venue.errors import Unavailable
from polymarket_assets.watching.findings import Watched


def stopped(watched: Watched) -> frozenset[str]:
    """Their names. Raises `Unavailable`."""
    from dagster._core.scheduler.instigation import InstigatorStatus
    from sqlalchemy.exc import SQLAlchemyError

    try:
        states = watched.dagster.all_instigator_state()
    except SQLAlchemyError as e:
        raise Unavailable(f"Dagster's storage does not say what is switched off ({type(e).__name__})") from e
    return frozenset(state.instigator_name for state in states if state.status is InstigatorStatus.STOPPED)


def known_to_be_stopped(watched: Watched) -> frozenset[str]:
    """The same, and nothing where that cannot be asked: who samples is known without Dagster."""
    try:
        return stopped(watched)
    except Unavailable:
        return frozenset()
