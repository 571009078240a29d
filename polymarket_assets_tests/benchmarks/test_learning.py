"""Every piece of the benchmark of learning runs, and tells how much it did."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import learning_pieces as pieces


@pytest.mark.slow
def test_every_piece_says_what_it_did(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """They hang together: one makes the rows, one the model that another asks."""
    monkeypatch.setattr(pieces, "GROUPS", 300)
    monkeypatch.setattr(pieces, "FOLDS", 2)
    rows = int(pieces.made(tmp_path).told)
    assert rows == 300 * 19
    assert pieces.fitted(tmp_path).told > 75
    assert pieces.walked(tmp_path).told == 2
    assert 0 < pieces.judged(tmp_path).told <= 300
    assert pieces.scored(tmp_path).told == rows
    assert pieces.searched(tmp_path, 1).told == 1
