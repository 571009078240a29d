"""The pages of `console.monitoring`."""

from __future__ import annotations

from console.parts import Page

PAGES: tuple[Page, ...] = ()
