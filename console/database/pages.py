"""The pages of `console.database`."""

from __future__ import annotations

from console.parts import Page

PAGES: tuple[Page, ...] = ()
