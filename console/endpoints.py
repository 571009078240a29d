"""Every group of endpoints."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request

from console.place import Place


def _place(request: Request) -> Place:
    place: Place = request.app.state.place
    return place


# What endpoints take as their first argument: the installation that is asked.
Here = Annotated[Place, Depends(_place)]


def routers() -> tuple[APIRouter, ...]:
    """In the order of the documentation."""
    from console.database.api import router as database
    from console.markets.api import router as markets
    from console.models.api import router as models
    from console.monitoring.api import router as monitoring

    return monitoring, database, markets, models
