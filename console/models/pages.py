"""The pages of `console.models`."""

from __future__ import annotations

from console.parts import Page

PAGES: tuple[Page, ...] = ()
