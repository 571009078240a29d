"""Every recorded payload goes through its parser; damaged ones end in `MalformedPayload` and nothing else."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from polymarket_assets_tests.venue import recorded

NAMES = recorded.files(recorded.FOLDER) or ["none"]


def test_every_recorded_file_says_how_it_is_read(recorded_dir: Path) -> None:
    """A payload that no parser sees proves nothing."""
    assert [name for name in recorded.files(recorded_dir) if recorded.form_of(name) is None] == []


def test_no_form_is_left_without_a_file(recorded_dir: Path) -> None:
    names = recorded.files(recorded_dir)
    used = [recorded.form_of(name) for name in names]
    assert [form.pattern for form in recorded.FORMS if form not in used] == []


@pytest.mark.parametrize("name", NAMES)
def test_recorded_rows_are_read(name: str, recorded_dir: Path) -> None:
    """As decoded objects and as text: the clients hand on text, notebooks and replays objects."""
    form = recorded.form_of(name)
    assert form is not None
    if form.parser is None:
        pytest.skip("not a part of the venue that the platform reads")
    rows = recorded.rows(recorded_dir, name)
    assert rows
    for row in rows:
        assert form.parser(row) == form.parser(_text(row))


def _text(row: Any) -> str:
    return row if isinstance(row, str) else json.dumps(row)
