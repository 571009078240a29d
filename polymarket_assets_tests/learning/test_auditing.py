"""The audit of a challenger: red is red, and what nobody could answer is neither green nor in the way."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from polymarket_assets.learning.audit.audited import Finding
from polymarket_assets.learning.audit.guards import Guard
from polymarket_assets.learning.promotion import auditing
from polymarket_assets.learning.tracking.registry import Version
from polymarket_assets_tests.learning.evaluation.rows import rows
from polymarket_assets_tests.learning.remembered import Remembered

NEW = Version("3", "run3", {})
AUDIT: Any = SimpleNamespace(built=SimpleNamespace(rows=rows(5)))
GOOD, BAD, NOTHING = Finding(True, "all well"), Finding(False, "3 rows"), Finding(None, "one source")


def guards(**found: Finding) -> tuple[Guard, ...]:
    return tuple(Guard(name, "L1", lambda audit, finding=finding: finding) for name, finding in found.items())


FOUND: list[tuple[dict[str, Finding], bool, str, str | None]] = [
    ({"a": GOOD, "b": GOOD}, True, "the audit of the training set is green", "none"),
    ({"a": BAD, "b": GOOD, "c": BAD}, False, "a, c", "a, c"),
    ({"a": GOOD, "b": NOTHING}, True, "no guard is red; not answered: b (one source)", None),
    ({"a": BAD, "b": NOTHING}, False, "a; not answered: b (one source)", None),
]


@pytest.mark.parametrize(("found", "held", "told", "kept"), FOUND, ids=["green", "red", "not answered", "red and not answered"])  # fmt: skip
def test_a_guard_that_could_not_answer_is_named_and_asked_again(found: dict[str, Finding], held: bool, told: str, kept: str | None, monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    """Taken for green and kept with the version, it would never be asked of the rows that came later."""
    monkeypatch.setattr(auditing, "GUARDS", guards(**found))
    registry = Remembered({"challenger": NEW}, [NEW])
    gate = auditing.audited(NEW, registry, lambda: AUDIT)
    assert (gate.is_held, gate.told) == (held, told)
    assert registry.versions["3"].tags.get("leaks") == kept


@pytest.mark.parametrize("finding", [GOOD, BAD], ids=["green", "red"])
def test_a_whole_verdict_is_asked_once(finding: Finding, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(auditing, "GUARDS", guards(a=finding))
    registry = Remembered({"challenger": NEW}, [NEW])
    first = auditing.audited(NEW, registry, lambda: AUDIT)
    challenger = registry.at("challenger")
    assert challenger
    assert auditing.audited(challenger, registry, lambda: pytest.fail("asked again")) == first
