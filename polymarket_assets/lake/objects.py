"""The client of an object store, one for a process: its limits, its files opened for reading, its errors in words.

Credentials and region are those of the AWS SDK (`AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_SESSION_TOKEN`,
`AWS_PROFILE`, `AWS_DEFAULT_REGION`, a role of the machine): it reads them itself, and nothing of them is shown. Only
`AWS_ENDPOINT_URL` it leaves to us.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterator
from functools import lru_cache
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pyarrow as pa

from polymarket_assets.lake.errors import LakeUnwritable, NoLake, StoreRefused, StoreUnavailable

if TYPE_CHECKING:
    import pyarrow.fs as fs

SCHEME = "s3://"
# A store that is gone for longer is told to the caller, who comes again: waits of 0.05 s and doubling, 5 s together at the most.
ATTEMPTS = 4
CONNECT_S = 5.0
# A store that says nothing for so long will not any more; pyarrow's default of 3 s is short for a large part on a slow line.
SILENT_S = 20.0
# Read in one request instead of one a column: at 100 MB/s it takes as long as three of them, and is of one version.
WHOLE_BYTES = 16 * 1024 * 1024
# A part that is published again between asking for its size and for its bytes is asked for again.
_VERSIONS = 3
_END_OF_PARQUET = b"PAR1"

_SAID = re.compile(
    r"AWS Error (?P<code>\w+)(?: \(HTTP status (?P<status>\d+)\))? during (?P<operation>\w+) operation"
)
_CREDENTIALS = "refuses these credentials: look at AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (of the environment, not of .env), and at the policy of the bucket"  # fmt: skip
_NO_BUCKET = "has no such bucket: make it, or name another"
# What another attempt does not mend, in words; everything else may pass.
_FOR_GOOD = {"ACCESS_DENIED": _CREDENTIALS, "INVALID_ACCESS_KEY_ID": _CREDENTIALS, "SIGNATURE_DOES_NOT_MATCH": _CREDENTIALS,
             "INVALID_CLIENT_TOKEN_ID": _CREDENTIALS, "UNRECOGNIZED_CLIENT": _CREDENTIALS, "MISSING_AUTHENTICATION_TOKEN": _CREDENTIALS,
             "INVALID_SIGNATURE": _CREDENTIALS, "401": _CREDENTIALS, "403": _CREDENTIALS, "NO_SUCH_BUCKET": _NO_BUCKET,
             "400": "does not understand the request: look at AWS_ENDPOINT_URL and AWS_DEFAULT_REGION, and whether a session token has run out",
             "301": "has the bucket in another region: set AWS_DEFAULT_REGION"}  # fmt: skip
_NOT_NOW = {"NETWORK_CONNECTION": "does not answer", "SLOW_DOWN": "has too much to do", "503": "has too much to do", "429": "has too much to do"}  # fmt: skip


def is_object(location: object) -> bool:
    """Whether a location is an address rather than a path of this machine."""
    return "://" in str(location)


def key(address: str) -> str:
    """Bucket and key of `s3://bucket/key`, as pyarrow names them. Raises `NoLake`; credentials in an address are not repeated."""
    parts = urlsplit(address)
    if "@" in parts.netloc or parts.query or parts.fragment:
        raise NoLake(f"an address of an object store is {SCHEME}bucket/prefix and holds no credentials and no options: they belong in AWS_… variables")  # fmt: skip
    if not address.startswith(SCHEME) or not parts.netloc:
        raise NoLake(f"{address} cannot be a lake: name a folder, or {SCHEME}bucket/prefix")
    return f"{parts.netloc}{parts.path}".rstrip("/")


def client() -> fs.S3FileSystem:
    """The client for the store at `AWS_ENDPOINT_URL`, else AWS itself; the same one every time. Raises `NotConfigured`."""
    return _client(_endpoint(os.environ.get("AWS_ENDPOINT_URL")), ATTEMPTS)


def is_used() -> bool:
    """Whether this process has to do with an object store."""
    return _client.cache_info().currsize > 0


@lru_cache(maxsize=4)
def _endpoint(_: str | None) -> str | None:
    """What settings say, by what the environment does: asked for with every file, and reading them all takes milliseconds."""
    from polymarket_assets.settings import load

    return load().aws_endpoint_url


@lru_cache(maxsize=4)
def _client(endpoint: str | None, attempts: int) -> fs.S3FileSystem:
    import pyarrow.fs as fs

    at = urlsplit(endpoint or "")
    return fs.S3FileSystem(
        endpoint_override=at.netloc + at.path.rstrip("/") or None,
        scheme=at.scheme or "https",
        connect_timeout=CONNECT_S,
        request_timeout=SILENT_S,
        retry_strategy=fs.AwsStandardS3RetryStrategy(max_attempts=attempts),
        # A stream that failed is closed once more when it is thrown away. With either of these the other way round that
        # would publish what it has by then: nothing, or the parts without the one that failed. So a small file takes
        # three requests instead of one.
        allow_delayed_open=False,
        background_writes=True,
    )


def opened(address: str) -> pa.NativeFile:
    """A file for reading, a small one whole in memory.

    Raises:
        FileNotFoundError: it is not there.
        StoreUnavailable, StoreRefused: the store does not say.
    """
    with told(f"{address} was not read"):
        return opened_untold(address)


def opened_untold(address: str) -> pa.NativeFile:
    """`opened`, its errors in pyarrow's words: for DuckDB, which hands on their text and no more."""
    for _ in range(_VERSIONS):
        file = client().open_input_file(key(address))
        if file.size() > WHOLE_BYTES:
            break
        content = file.read_buffer()
        file = pa.BufferReader(content)
        if content.size == 0 or content[-len(_END_OF_PARQUET) :].to_pybytes() == _END_OF_PARQUET:
            break
    return file


def remove_below(address: str) -> None:
    """Remove every file below an address, a thousand with a request. Raises `LakeUnwritable`; some of them may be gone."""
    with told(f"{address} was not emptied", is_write=True):
        client().delete_dir_contents(key(address), missing_dir_ok=True)


@contextlib.contextmanager
def told(undone: str, *, is_write: bool = False) -> Iterator[None]:
    """What a store said, in words: `LakeUnwritable` of a write, else `StoreRefused` or `StoreUnavailable`."""
    try:
        yield
    except OSError as e:
        error = in_words(e, undone, is_write=is_write)
        if error is None:
            raise
        raise error from e


def in_words(error: BaseException, undone: str, *, is_write: bool = False) -> LakeUnwritable | StoreRefused | StoreUnavailable | None:  # fmt: skip
    """The error for what a store said; None where it was not a store that spoke."""
    said = _SAID.search(str(error))
    if said is None:
        return None
    code, operation = said["status"] or said["code"], said["operation"]
    for_good = _FOR_GOOD.get(code)
    why = (
        for_good
        or f"{_NOT_NOW.get(code, 'failed')}: it comes again by itself, or look at AWS_ENDPOINT_URL and the network"
    )
    sentence = f"the object store {why} ({operation}: {code}; {undone})"
    if is_write:
        return LakeUnwritable(sentence)
    return StoreRefused(sentence) if for_good else StoreUnavailable(sentence)
