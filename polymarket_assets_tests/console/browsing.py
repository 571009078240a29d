"""A real browser in front of a console: what the tests of pages have in common, whoever serves them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

CHROMIUM = Path("/usr/bin/chromium")
# What it would look up by itself is refused here, many at a time.
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
DESKTOP, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}
WITHIN_MS = 20_000
expect.set_options(timeout=WITHIN_MS)

needs_chromium = pytest.mark.skipif(not CHROMIUM.exists(), reason=f"{CHROMIUM} is absent: the package chromium has it")  # fmt: skip
either_screen = pytest.mark.parametrize("told", [DESKTOP, PHONE], ids=["desktop", "phone"], indirect=True)


@dataclass
class Told:
    """A page that somebody looks at, and what its browser complained of."""

    page: Page
    complaints: list[str] = field(default_factory=list)


@contextmanager
def chromium() -> Iterator[Browser]:
    """Debian's, without a window."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


@contextmanager
def looked(browser: Browser, address: str, screen: Any) -> Iterator[Told]:
    """A new page; an error of a script, or something that the policy forbids, fails the test."""
    context = browser.new_context(viewport=screen, base_url=address, timezone_id="America/New_York", accept_downloads=True)  # fmt: skip
    context.set_default_timeout(WITHIN_MS)
    told = Told(context.new_page())
    told.page.on("pageerror", lambda error: told.complaints.append(str(error)))
    told.page.on("console", lambda said: told.complaints.append(said.text) if said.type == "error" else None)
    yield told
    context.close()
    assert told.complaints == []


def opened(told: Told, path: str) -> Page:
    """A page, once each of its parts has come."""
    told.page.goto(path)
    expect(told.page.locator("section[aria-busy]")).to_have_count(0, timeout=WITHIN_MS)
    return told.page


def fits(page: Page) -> bool:
    """Whether what is wider than the screen scrolls in a place of its own: a page that scrolls sideways cannot be read on a phone."""
    return bool(page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"))


def column(page: Page, part: str, name: str) -> list[str]:
    """The texts of a column of a part's table."""
    heads = page.locator(f"#{part} th")
    at = heads.all_inner_texts().index(heads.filter(has_text=name).first.inner_text())
    return page.locator(f"#{part} tbody td:nth-child({at + 1})").all_inner_texts()


def sorted_by(page: Page, name: str) -> list[int]:
    """The figures of a column of the rows after a click on its name, which sorts them."""
    page.locator("#rows th a", has_text=name).click()
    expect(page.locator("#rows th", has_text=name)).to_contain_text("↓")
    return figures(page, name)


def figures(page: Page, name: str) -> list[int]:
    """Those of a column of the rows."""
    return [int(text.replace(",", "")) for text in column(page, "rows", name)]


def filter_by(page: Page, name: str, comparison: str, value: str) -> None:
    """Send the form of conditions with one."""
    # A part that comes a second time would take away what is being chosen.
    page.wait_for_load_state("networkidle")
    form = page.locator("form").first
    form.locator("select").first.select_option(name)
    form.locator("select").nth(1).select_option(comparison)
    form.locator("input").first.fill(value)
    form.locator("button").click()


def downloaded(page: Page, kind: str, folder: Path) -> bytes:
    """The file that a click on its kind gives of the rows."""
    with page.expect_download() as begun:
        page.locator("#rows a", has_text=kind.upper()).click()
    begun.value.save_as(folder / "it")
    return (folder / "it").read_bytes()


def ask_in_sql(page: Page, sql: str) -> None:
    """Send a query from its box."""
    page.locator("textarea").fill(sql)
    page.locator("button", has_text="Ask").click()
