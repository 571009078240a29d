"""What somebody who wants to harm us would send: bodies that unpack, JSON that swells, text that is more than text."""

from __future__ import annotations

import subprocess
import sys
import zlib

from polymarket_assets_tests.conftest import PROJECT

# What moves a cursor, colours a terminal, forges a line of a log, or turns the reading direction.
CONTROL = "\x1b[2J\x1b[31mred\x07\r\nERROR forged line \u202e\x00"
MARKUP = "</script><script>alert(1)</script><img src=x onerror=alert(2)> [red]x[/blue] {{ 7*7 }} '; drop table markets; --"
# Names that a person, or the venue, may give.
NAMES = (
    "../../etc/passwd", "/etc/passwd", "..", ".", "", "a/b", "x' or '1'='1", "'; drop table markets; --", '" union select 1; --',
    "%2e%2e%2f", "$(touch x)", "`touch x`", "-rf", "a\x00b", "\x1b[31m", "C:\\windows", "\ud800", "x" * 5_000,
)  # fmt: skip


def bomb(megabytes: int, *, wrapped: int = 1) -> bytes:
    """Blanks in gzip, and that in gzip again: a kilobyte of a gigabyte."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    packed = b"".join(packer.compress(b" " * 1_000_000) for _ in range(megabytes)) + packer.flush()
    for _ in range(wrapped - 1):
        packer = zlib.compressobj(9, zlib.DEFLATED, 31)
        packed = packer.compress(packed) + packer.flush()
    return packed


_MARKET = b'"market":"0x' + b"0" * 64 + b'","timestamp":"1"'
# JSON that takes many times its bytes, by what is wrong with it: how it begins, what it repeats, how it ends.
SWELLING: dict[str, tuple[bytes, bytes, bytes]] = {
    "values of two bytes": (b"[", b"1,", b"1]"),
    "rows of two bytes": (b"[", b"{},", b"{}]"),
    "parts that say nothing": (b"[", b'{"event_type":"x"},', b'{"event_type":"x"}]'),
    "lists in a message of odd form": (b'{"event_type":"book","timestamp":1,"x":[', b"[],", b"[]]}"),
    "rows of one long text each": (b"[", b'"' + b"a" * 70 + b'",', b'""]'),
    "one level after the other": (
        b'{"event_type":"book",' + _MARKET + b',"asset_id":"10000","asks":[],"bids":[', b'{"price":"0.5","size":"1"},', b'{"price":"0.5","size":"1"}]}',
    ),
    "one change after the other": (
        b'{"event_type":"price_change",' + _MARKET + b',"price_changes":[', b'{"price":"0.5","size":"1","side":"BUY","asset_id":"1"},',
        b'{"price":"0.5","size":"1","side":"BUY","asset_id":"1"}]}',
    ),
    "nesting": (b"", b"[", b""),
    "one number": (b"", b"9", b""),
    "one name": (b'{"event_type":"', b"a", b'"}'),
}  # fmt: skip


def swollen(what: str, size: int) -> bytes:
    """JSON of that kind, about so many bytes long."""
    head, each, tail = SWELLING[what]
    return head + each * ((size - len(head) - len(tail)) // len(each)) + tail


def peak_mb(code: str, *arguments: str, within_s: float = 60) -> float:
    """The most memory that a process running this code had at once, in megabytes, imports and all."""
    # Of this program alone: `ru_maxrss` begins with what the one that starts it held.
    told = "print(int(open('/proc/self/status').read().split('VmHWM:')[1].split()[0]) / 1024)"
    ran = subprocess.run([sys.executable, "-c", f"{code}\n{told}", *arguments], cwd=PROJECT, capture_output=True, text=True, timeout=within_s)  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    return float(ran.stdout.split()[-1])
