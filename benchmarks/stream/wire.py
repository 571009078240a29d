"""The server's side of WebSocket, as much of it as a recorder's client needs."""

from __future__ import annotations

import base64
import hashlib

_MAGIC = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
TEXT, CLOSE = 0x1, 0x8


def frame(text: str) -> bytes:
    """A text message as a server's WebSocket frame."""
    content = text.encode()
    if len(content) < 126:
        return bytes((0x81, len(content))) + content
    if len(content) < 65536:
        return b"\x81\x7e" + len(content).to_bytes(2) + content
    return b"\x81\x7f" + len(content).to_bytes(8) + content


def asked(head: bytes) -> dict[bytes, bytes]:
    """The headers of a request, by lower-case name."""
    lines = (line.split(b":", 1) for line in head.split(b"\r\n")[1:])
    return {name.strip().lower(): value.strip() for name, value in lines}


def switching(key: bytes) -> bytes:
    """The answer that makes a request with this key a WebSocket."""
    accepted = base64.b64encode(hashlib.sha1(key + _MAGIC).digest())
    return (
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Accept: " + accepted + b"\r\n\r\n"
    )


def unframed(inbox: bytes) -> tuple[int, bytes, bytes] | None:
    """The first of a client's frames: its opcode, its content unmasked, and what follows; None: it is not whole yet."""
    if len(inbox) < 2:
        return None
    length, at = inbox[1] & 0x7F, 2
    if length >= 126:
        wide = 2 if length == 126 else 8
        if len(inbox) < at + wide:
            return None
        length, at = int.from_bytes(inbox[at : at + wide]), at + wide
    end = at + 4 + length
    if len(inbox) < end:
        return None
    mask, masked = inbox[at : at + 4], inbox[at + 4 : end]
    key = int.from_bytes((mask * (length // 4 + 1))[:length])
    return inbox[0] & 0xF, (int.from_bytes(masked) ^ key).to_bytes(length), inbox[end:]
