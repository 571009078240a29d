"""The pages of `console.monitoring`."""

from __future__ import annotations

from console.monitoring import overview, quality, stream
from console.parts import Page

PAGES: tuple[Page, ...] = (overview.PAGE, stream.PAGE, quality.PAGE)
