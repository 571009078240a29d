"""Every environment variable of the platform, typed, in one place.

Nothing else reads the environment. Importing this module reads nothing either: `Settings()` is called
when a command or a run starts, so definitions load with an empty environment and a missing or malformed
variable ends in one sentence (`NotConfigured`) that names it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

from dotenv import dotenv_values
from pydantic import BeforeValidator, Field, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from polymarket_assets.masking import HIDDEN, masked
from polymarket_assets.shards import Shard
from polymarket_assets.venue.errors import Refused

ENV_FILE = ".env"
LOOPBACK = "127.0.0.1"
# An address of an interface, or a name that leads to one.
_HOST = re.compile(r"[\w.:-]+")
# What an address of HTTP may hold.
_PRINTABLE = re.compile(r"[!-~]+")


class NotConfigured(Refused):
    """A setting is unset or malformed; the message names it and says what it should hold."""


def _split(value: object) -> object:
    """`a, b` as it stands in an environment variable, to its parts."""
    if isinstance(value, str):
        return tuple(part.strip() for part in value.split(",") if part.strip())
    return value


def _retention() -> dict[str, str | None]:
    """Every `RETENTION_DAYS_<TABLE>` of `.env` and of the environment, by table."""
    prefix = "RETENTION_DAYS_"
    given = {**dotenv_values(ENV_FILE), **os.environ}
    return {name[len(prefix) :].lower(): value for name, value in given.items() if name.startswith(prefix)}


def _absolute(value: object) -> object:
    """A folder as seen from where the process started; the address of an object store stays as it is."""
    return os.path.abspath(value) if isinstance(value, str | Path) and str(value) and "://" not in str(value) else value  # fmt: skip


Folder = Annotated[Path, BeforeValidator(_absolute)]
Words = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split)]


class Settings(BaseSettings):
    """The settings of one process, read from the environment and from `.env` beside it."""

    model_config = SettingsConfigDict(env_file=ENV_FILE, extra="ignore", frozen=True)

    # Where things lie.
    lake_root: Annotated[str, BeforeValidator(_absolute)] | None = Field(
        None,
        description="Folder of the lake, or `s3://bucket/prefix`; no default, so that nothing is recorded in a place nobody chose",
    )
    aws_endpoint_url: str | None = Field(
        None,
        description="Address of the object store for `LAKE_ROOT=s3://bucket/prefix` where it is not AWS itself, for example `http://127.0.0.1:9000`; credentials and region are the AWS SDK's variables",
    )
    cold_root: Annotated[str, BeforeValidator(_absolute)] | None = Field(
        None, description="Folder, on another disk, that closed hours older than `COLD_AFTER_DAYS` move to"
    )
    cold_after_days: int = Field(
        30,
        ge=9,
        description="Days after which closed hours move to `COLD_ROOT`; within a week they may change",
    )
    state_dir: Folder | None = Field(
        None,
        description="Folder of small operating state: heartbeats, stream journals, and the rate limits that processes share",
    )
    dagster_home: Folder | None = Field(
        None, description="Folder of the Dagster instance, with its `dagster.yaml`"
    )
    mlflow_tracking_uri: str | None = Field(
        None, repr=False, description="Where runs and models are tracked, for example `http://127.0.0.1:5000`"
    )

    # The venue.
    polymarket_gamma_url: str = Field(
        "https://gamma-api.polymarket.com", description="Base address of the catalogue"
    )
    polymarket_clob_url: str = Field(
        "https://clob.polymarket.com", description="Base address of the order books"
    )
    polymarket_data_url: str = Field(
        "https://data-api.polymarket.com", description="Base address of the Data API"
    )
    polymarket_ws_url: str = Field(
        "wss://ws-subscriptions-clob.polymarket.com/ws/market",
        description="Address of the public market socket",
    )
    rate_share: float = Field(
        0.5,
        gt=0,
        le=1,
        description="Share of the venue's published rate limits that all processes with one `STATE_DIR` allow themselves together; without it, each alone",
    )

    # Which markets.
    min_volume_usd: float = Field(
        100.0,
        ge=0,
        description="Markets below this traded volume are left out, except within 12 h of their end and in recurring series",
    )
    lookahead_hours: int = Field(
        336, gt=0, description="Markets whose scheduled end lies further ahead are left out of the tiers"
    )
    universe_tags: Words = Field(
        (), description="Only markets with one of these tag slugs, comma separated; empty: all"
    )
    universe_slugs: Words = Field(
        (), description="Only these market or event slugs, comma separated; empty: all"
    )
    max_markets_t0: int = Field(5000, gt=0, description="Most markets sampled in T0, largest volume first")
    max_markets_t1: int = Field(4000, gt=0, description="Most markets sampled in T1")
    max_markets_t2: int = Field(2000, gt=0, description="Most markets sampled in T2")
    max_markets_t3: int = Field(1000, gt=0, description="Most markets sampled in T3")
    max_markets_t4: int = Field(1000, gt=0, description="Most markets sampled in T4")
    watch_windows: bool = Field(
        True,
        description="Start windows at their ticks and where none runs; off where they are started by hand",
    )

    # The streamer.
    stream_tiers: Words = Field(
        ("t2", "t3", "t4"), description="Tiers whose markets are recorded from the socket, comma separated"
    )
    stream_max_tokens_per_connection: int = Field(
        200,
        ge=2,
        le=500,
        description="Tokens on one socket; beyond 500 the venue stops serving without a word",
    )
    stream_max_connections: int = Field(32, gt=0, description="Sockets at the most")
    stream_silence_s: float = Field(
        15.0,
        gt=0,
        allow_inf_nan=False,
        description="A lively socket with no data for this long is reconnected; slower ones have longer, by their own pace",
    )
    stream_first_book_s: float = Field(
        30.0,
        gt=0,
        allow_inf_nan=False,
        description="A token with no first book for this long is subscribed again",
    )
    stream_shard: int = Field(0, ge=0, description="Number of this streamer among STREAM_SHARDS")
    stream_shards: int = Field(
        1, gt=0, validate_default=True, description="How many streamers share the markets"
    )
    stream_status_host: str = Field(
        LOOPBACK,
        description="Interface on which the streamer's status listens; another than loopback only where nobody else reaches it, as in a container",
    )
    stream_status_urls: Words = Field(
        (),
        description="Addresses of the status of every streamer, for alerts and `python -m streamer status`, comma separated; empty: the one on `STREAM_STATUS_HOST` and `STREAM_STATUS_PORT`",
    )

    # What is kept, and who is told.
    retention_days: Mapping[str, int] = Field(
        default_factory=_retention,
        validate_default=True,
        description="Days a table's hours are kept, for example `RETENTION_DAYS_ORDERBOOKS=90`; unset: for ever",
    )
    slack_webhook_url: SecretStr | None = Field(
        None, description="Webhook of Slack that alerts go to; unset: they go to the log"
    )
    dagster_url: str | None = Field(
        None,
        description="Address under which people open the Dagster UI, for links in alerts; unset: `DAGSTER_PORT` on the loopback interface",
    )
    mlflow_url: str | None = Field(
        None,
        description="Address under which people open the MLflow UI, for links in Dagster; unset: `MLFLOW_TRACKING_URI`",
    )
    console_url: str | None = Field(
        None,
        description="Address under which people open the console, for links in Dagster and MLflow; unset: `CONSOLE_PORT` on the loopback interface",
    )
    console_host: str = Field(
        LOOPBACK,
        description="Interface on which the console listens; another than loopback only where nobody else reaches it, as in a container",
    )
    alert_disk_pct: float = Field(95.0, gt=0, le=100, description="A disk fuller than this is critical")
    alert_success_pct: float = Field(
        80.0, gt=0, le=100, description="A tier of whose last slots less was taken is critical"
    )
    alert_coverage_pct: float = Field(
        90.0, gt=0, le=100, description="A streamed tier of whose markets less is heard is told"
    )
    alert_trades_min: float = Field(
        5.0,
        gt=0,
        le=60,
        description="Minutes without a trade heard, while the market trades, that are critical",
    )
    alert_backlog: int = Field(1000, gt=0, description="More waiting runs than this are critical")
    alert_edge_c: float = Field(
        5.0,
        gt=0,
        description="Cents a share that an offer lies below a model's belief, from which on it is told",
    )
    alert_whale_usd: float = Field(25_000.0, gt=0, description="Dollars of an order from which on it is told")
    alert_muted: Words = Field(
        (),
        description="Keys of alerts, or what they begin with, that nobody is told of, comma separated, for example `stream_` where no streamer runs",
    )

    # Ports, on the loopback interface.
    dagster_port: int = Field(3000, gt=0, lt=65536, description="Dagster UI")
    mlflow_port: int = Field(5000, gt=0, lt=65536, description="MLflow UI")
    console_port: int = Field(8000, gt=0, lt=65536, description="Console")
    stream_status_port: int = Field(8081, gt=0, lt=65536, description="Status of the streamer")
    sim_port: int = Field(
        9100,
        gt=0,
        lt=65534,
        description="Simulator: HTTP here, WebSocket on the next port, control on the one after",
    )

    @field_validator("stream_tiers")
    @classmethod
    def _known_tiers(cls, tiers: tuple[str, ...]) -> tuple[str, ...]:
        unknown = [tier for tier in tiers if tier not in ("t0", "t1", "t2", "t3", "t4")]
        if unknown:
            raise ValueError(f"unknown tier {unknown[0]!r}; tiers are t0, t1, t2, t3, t4")
        if not tiers:
            raise ValueError("name at least one tier: t0, t1, t2, t3, t4")
        return tiers

    @field_validator("retention_days")
    @classmethod
    def _known_tables(cls, days: Mapping[str, int]) -> Mapping[str, int]:
        from polymarket_assets.lake.schemas import TABLES

        for table, kept in days.items():
            if table not in TABLES:
                raise ValueError(f"there is no table {table!r}; docs/tables.md lists them")
            if kept < 1:
                raise ValueError(
                    f"{table} would be kept for {kept} days; keep it one day at least, or unset it"
                )
        return days

    @field_validator("stream_shards")
    @classmethod
    def _shard_among_shards(cls, shards: int, known: ValidationInfo) -> int:
        shard = known.data.get("stream_shard", 0)
        if shard >= shards:
            raise ValueError(f"STREAM_SHARD={shard} is none of them: they are counted from 0")
        return shards

    @field_validator("alert_muted")
    @classmethod
    def _known_kinds(cls, keys: tuple[str, ...]) -> tuple[str, ...]:
        from polymarket_assets.watching.kinds import EVENTS, STEPS

        for key in keys:
            if not any(f"{kind}:".startswith(key) or key.startswith(f"{kind}:") for kind in (*STEPS, *EVENTS)):  # fmt: skip
                raise ValueError(f"no alert begins with {key!r}; docs/alerts.md lists their keys")
        return keys

    @field_validator("stream_status_host", "console_host")
    @classmethod
    def _an_interface(cls, host: str) -> str:
        if not _HOST.fullmatch(host):
            raise ValueError("it is the address or name of one interface, for example 127.0.0.1")
        return host

    @field_validator("stream_status_urls")
    @classmethod
    def _addresses(cls, urls: tuple[str, ...]) -> tuple[str, ...]:
        plain = tuple(url.rstrip("/") for url in urls)
        for url in plain:
            if not _is_address(url):
                raise ValueError("each is the address of a streamer's status, as http://127.0.0.1:8081")
        if len(set(plain)) < len(plain):
            raise ValueError("an address is named twice: the streamer there would be told of twice")
        return plain

    @field_validator(
        "polymarket_gamma_url",
        "polymarket_clob_url",
        "polymarket_data_url",
        "polymarket_ws_url",
        "aws_endpoint_url",
    )
    @classmethod
    def _an_address(cls, address: str | None, known: ValidationInfo) -> str | None:
        if not address and known.field_name == "aws_endpoint_url":
            return None
        address = str(address)
        wanted = ("ws://", "wss://") if known.field_name == "polymarket_ws_url" else ("http://", "https://")
        if not address.startswith(wanted):
            raise ValueError(f"an address begins with {' or '.join(wanted)}")
        if not urlsplit(address).hostname:
            raise ValueError("an address names a host")
        return address

    @field_validator("slack_webhook_url", "dagster_url", "mlflow_url", "console_url", mode="before")
    @classmethod
    def _an_address_of_http(cls, address: str | None) -> str | None:
        # What is malformed may be a secret: `load` does not repeat it.
        if address and not address.startswith(("http://", "https://")):
            raise ValueError("an address begins with http:// or https://")
        return address or None

    @field_validator("slack_webhook_url")
    @classmethod
    def _can_be_asked(cls, address: SecretStr | None) -> SecretStr | None:
        plain = address.get_secret_value() if address else ""
        if plain and not (_PRINTABLE.fullmatch(plain) and _names_a_host(plain)):
            raise ValueError("it is an address as Slack shows it: no blanks or letters beyond ASCII, a host, a numeric port if any")  # fmt: skip
        return address

    @field_validator("mlflow_tracking_uri")
    @classmethod
    def _a_tracking_server(cls, address: str | None) -> str | None:
        if address and "://" not in address:
            raise ValueError("it is an address, for example http://127.0.0.1:5000")
        return address

    def need_lake_root(self) -> str:
        """`LAKE_ROOT`. Raises `NotConfigured` when unset."""
        return str(self._need("lake_root", "export LAKE_ROOT=data/lake"))

    def need_state_dir(self) -> Path:
        """`STATE_DIR`. Raises `NotConfigured` when unset."""
        return Path(self._need("state_dir", "export STATE_DIR=data/state"))

    def need_mlflow_tracking_uri(self) -> str:
        """`MLFLOW_TRACKING_URI`. Raises `NotConfigured` when unset."""
        return str(self._need("mlflow_tracking_uri", "export MLFLOW_TRACKING_URI=http://127.0.0.1:5000"))

    @property
    def shard(self) -> Shard:
        """Which of the streamers that share the markets this one is."""
        return Shard(self.stream_shard, self.stream_shards)

    @property
    def console_address(self) -> str:
        """Where people open the console."""
        return (self.console_url or f"http://{LOOPBACK}:{self.console_port}").rstrip("/")

    @property
    def stream_statuses(self) -> tuple[str, ...]:
        """The address of the status of every streamer; unless they are named, of the one of this machine, wherever it listens."""
        here = f"http://{_asked_at(self.stream_status_host)}:{self.stream_status_port}"
        return self.stream_status_urls or (here,)

    def is_muted(self, key: str) -> bool:
        """Whether nobody is to be told of an alert of this key."""
        return key.startswith(self.alert_muted)

    def max_markets(self, tier: str) -> int:
        """The cap of markets of a tier, by its name (`t0` … `t4`)."""
        return int(getattr(self, f"max_markets_{tier}"))

    def _need(self, name: str, example: str) -> Any:
        value = getattr(self, name)
        if value in (None, ""):
            raise NotConfigured(f"{name.upper()} is not set; for example `{example}`")
        return value


def _asked_at(host: str) -> str:
    """Where an interface is asked from this machine, as an address names it; every interface is no place to ask."""
    try:
        at = ip_address(host)
    except ValueError:
        return host
    if at.is_unspecified:
        at = ip_address(LOOPBACK if at.version == 4 else "::1")
    return f"[{at}]" if at.version == 6 else f"{at}"


def _names_a_host(url: str) -> bool:
    """Whether a host can be asked there: its port, if any, is a number."""
    try:
        parts = urlsplit(url)
        return bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def _is_address(url: str) -> bool:
    """Whether it is an HTTP address of a host and nothing more: no account, no query."""
    if not _names_a_host(url):
        return False
    parts = urlsplit(url)
    is_whole = parts.scheme in ("http", "https") and url == f"{parts.scheme}://{parts.netloc}"
    return is_whole and "@" not in parts.netloc


def load(**replaced: Any) -> Settings:
    """The settings of this process, some replaced by keyword.

    Raises:
        NotConfigured: a variable is malformed; the message names it, what it holds and what is wanted.
    """
    try:
        return Settings(**replaced)
    except ValidationError as e:
        first = e.errors()[0]
        name = "_".join(str(part) for part in first["loc"]).upper()
        why = first["msg"].removeprefix("Value error, ")
        # Without the error of pydantic, which holds every value that was given.
        raise NotConfigured(
            f"{name}={_shown(first['loc'][0], first['input'])} cannot be used: {why}"
        ) from None


def _shown(field: int | str, given: object) -> str:
    """What a variable holds, as far as it may be shown."""
    is_secret = "SecretStr" in str(Settings.model_fields[str(field)].annotation)
    return HIDDEN if is_secret else masked(repr(given))
