"""Every page, in the order of the navigation."""

from __future__ import annotations

from console.database.pages import PAGES as _DATABASE
from console.markets.pages import PAGES as _MARKETS
from console.models.pages import PAGES as _MODELS
from console.monitoring.pages import PAGES as _MONITORING
from console.parts import Page

PAGES: tuple[Page, ...] = (*_MONITORING, *_DATABASE, *_MARKETS, *_MODELS)
