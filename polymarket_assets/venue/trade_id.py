"""The identity of a trade, the same whether it was heard or fetched."""

from __future__ import annotations

from hashlib import blake2b

BYTES = 16


def trade_id(tx_hash: bytes, token_id: str, is_buy: bool, n: int) -> bytes:
    """Sixteen bytes of BLAKE2b over (transaction, token, side, ordinal among those that share the first three)."""
    return blake2b(tx_hash + f"|{token_id}|{'B' if is_buy else 'S'}|{n}".encode(), digest_size=BYTES).digest()
