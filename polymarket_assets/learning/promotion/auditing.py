"""The leak audit of a challenger: its verdict stands with the version where every guard could answer; what nobody could answer is said."""

from __future__ import annotations

from collections.abc import Callable

from polymarket_assets.learning.audit.audited import Audit
from polymarket_assets.learning.audit.guards import GUARDS
from polymarket_assets.learning.evaluation.claims import Gate
from polymarket_assets.learning.promotion import gates
from polymarket_assets.learning.tracking.registry import Registry, Version

# Rows of features that the audit computes again, of each kind.
ROWS = 10
# The tag of a version that was audited whole: the guards that were red.
LEAKS = "leaks"
_NONE = "none"


def audited(version: Version, registry: Registry, audit: Callable[[], Audit]) -> Gate:
    """Whether the guards find no leak in the lake of a version. One with nothing of its kind to look at, as where all rows are of one
    source, does not stand in the way; the same is asked again the next time, when there may be."""
    if known := version.tags.get(LEAKS):
        return gates.of_audit([] if known == _NONE else [known], {})
    of = audit()
    if not of.built.rows.num_rows:
        return gates.of_audit(["the lake gives no training set to look at"], {})
    found = {guard.name: guard.ask(of) for guard in GUARDS}
    red = [name for name, finding in found.items() if finding.good is False]
    unanswered = {name: finding.said for name, finding in found.items() if finding.good is None}
    if not unanswered:
        registry.tag(version, {LEAKS: ", ".join(red) or _NONE})
    return gates.of_audit(red, unanswered)
