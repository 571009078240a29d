"""JSON that would become much more than it is, refused before it is decoded.

A value is decoded to some sixty bytes, whatever it takes to write: two in `[1,1,1`. Every value but the first of its list
or object follows a comma, and every list or object has a bracket, so commas and brackets bound how many there are.
"""

from __future__ import annotations

# What is smaller becomes 32 MB at the most.
SMALL_BYTES = 1_000_000
# The densest the venue writes are points of a price history, five to eight bytes a value.
BYTES_A_VALUE = 4


def require_sparse(content: bytes) -> None:
    """Raise `ValueError` for JSON with more values than the venue would write into as many bytes."""
    if len(content) <= SMALL_BYTES:
        return
    values = content.count(b",") + content.count(b"[") + content.count(b"{")
    if values * BYTES_A_VALUE > len(content):
        raise ValueError(f"{values} values in {len(content)} bytes are not the venue speaking")
