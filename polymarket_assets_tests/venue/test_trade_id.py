"""A trade has one identity, wherever it is learnt of."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from polymarket_assets.venue.trade_id import BYTES, trade_id

KEYS = st.tuples(st.binary(min_size=32, max_size=32), st.integers(0, 2**256).map(str), st.booleans(), st.integers(0, 999))  # fmt: skip


def test_the_identity_is_pinned() -> None:
    """Stored identities must never change: a trade healed next year would be a second one."""
    assert trade_id(bytes(32), "123", True, 0).hex() == "cd05bc1a6e9a8fa68a4738325801a69c"


@given(KEYS, KEYS)
def test_different_trades_have_different_identities(a: tuple[bytes, str, bool, int], b: tuple[bytes, str, bool, int]) -> None:  # fmt: skip
    assert len(trade_id(*a)) == BYTES
    assert (trade_id(*a) == trade_id(*b)) is (a == b)


def test_token_and_ordinal_do_not_run_together() -> None:
    assert trade_id(bytes(32), "12", True, 3) != trade_id(bytes(32), "1", True, 23)
