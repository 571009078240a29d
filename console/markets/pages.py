"""The pages of `console.markets`."""

from __future__ import annotations

from console.parts import Page

PAGES: tuple[Page, ...] = ()
