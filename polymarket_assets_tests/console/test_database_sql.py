"""SQL: one SELECT over the lake, in a process that can reach nothing else, and every way out of it that we know."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from console.database import answering, gate, querying
from polymarket_assets.lake import reading
from polymarket_assets.lake.writing import Lake
from polymarket_assets.venue.errors import Refused
from polymarket_assets_tests.conftest import either_store
from polymarket_assets_tests.console.lakes import TRADES, filled
from polymarket_assets_tests.console.served import Console, served, settings_of
from polymarket_assets_tests.report.rows import HOUR, NOON, file, trade

SECRET = "a-secret-of-the-environment"


@pytest.fixture(scope="module")
def console(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Console]:
    os.environ["A_PASSWORD"] = SECRET
    try:
        with served(settings_of(filled(Lake(tmp_path_factory.mktemp("sql") / "lake")))) as console:
            yield console
    finally:
        del os.environ["A_PASSWORD"]


def asked(console: Console, sql: str, status: int = 200, **more: Any) -> Any:
    """What the endpoint says; every answer comes within its time."""
    began = time.monotonic()
    answer = console.ask("/api/database/query", "POST", json={"sql": sql, **more})
    assert time.monotonic() - began < querying.WITHIN_S + 3
    assert answer.status_code == status, (sql[:200], answer.status_code, answer.text[:500])
    return answer.json()


@pytest.mark.parametrize(
    ("sql", "rows"),
    [
        ("select count(*) from trades", [[TRADES]]),
        ("from trades select max(traded_at)", [["2026-03-02T14:54:00.000000Z"]]),
        ("select trade_id from trades order by traded_at limit 1;", [["00" * 16]]),
        ("/* a */ select 1 -- b", [[1]]),
        ("with a as (select 1 x), b as (from a) select * from b union all select 2 order by 1", [[1], [2]]),
        ("with recursive t as (select 1 x union all select x + 1 from t where x < 3) select sum(x)::int from t", [[6]]),
        ("select u from (select [1, 2] as l), unnest(l) as t(u)", [[1], [2]]),
        ("select count(*) from trades a join trades b using (trade_id), range(2)", [[2 * TRADES]]),
        ("select count(*) from rejects", [[0]]),
        ("select bids[1].size_e6 from orderbooks", [[str(2**60)]]),
        ("select 1.5::decimal(4,2), 'x'::blob, null, 'NaN'::double, {'a': [date '2026-01-01']}, 2::hugeint ** 70", [["1.50", "78", None, "nan", {"a": ["2026-01-01"]}, 2.0**70]]),
        ("select 170141183460469231731687303715884105727", [["170141183460469231731687303715884105727"]]),
        ("with trades as (select 7 x) select * from trades", [[7]]),
    ],
)  # fmt: skip
def test_a_select_is_answered(console: Console, sql: str, rows: list[list[Any]]) -> None:
    found = asked(console, sql)
    assert (found["rows"], found["truncated"]) == (rows, False)


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("selec 1", "line 1, column 1"), ("select 1,\n  2 +", "line 2"), ("select foo\nfrom trades", '"foo" not found'), ("select foo from trades", "line 1, column 8"),
        ("", "there is no query"), ("select 1/x from range(3) t(x) where x = 'a'", "Could not convert"), ("from nix", "tables are markets"), ("select $1", ""),
        ("select 1 where", "syntax error"), ("select error('my words')", "my words"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_one_sentence_that_says_where(console: Console, sql: str, said: str) -> None:
    detail = asked(console, sql, 422)["detail"]
    assert said in detail
    assert "\n" not in detail


def _files(console: Console) -> dict[str, str]:
    """What attacks name: another file of the lake, and one beside it."""
    root = Path(console.place.lake().root)
    (root.parent / "beside.csv").write_text("a,b\n1,beside\n")
    return {
        "file": reading.files(console.place.lake(), "snapshots")[0],
        "beside": f"{root.parent}/beside.csv",
        "root": str(root),
    }


ATTACKS = [
    # Files, by every reader and by name.
    "select * from read_csv('{beside}')", "select * from read_csv_auto('{beside}')", "select * from read_text('/proc/self/environ')",
    "select * from read_blob('/proc/self/environ')", "select * from read_json('/etc/passwd')", "select * from read_parquet('{file}')", "from parquet_scan('{file}')",
    "from '{beside}'", "from '{file}'", 'select * from "{beside}"', "select * from '/proc/self/environ'", "from glob('/etc/*')", "from glob('{root}/**')", "from sniff_csv('{beside}')",
    "from parquet_metadata('{file}')", "from parquet_schema('{file}')", "from read_duckdb('{beside}')", "select (select content from read_text('/etc/hostname'))",
    "select * from trades, read_text('/etc/hostname')", "select * from trades, lateral (select * from read_text('/etc/hostname'))",
    "select * from trades t left join (select * from read_csv('{beside}')) x on true", "with x as (from read_csv('{beside}')) from x",
    "with x as materialized (from read_csv('{beside}')) from x", "select * from trades where exists (from read_csv('{beside}'))",
    "select * from trades order by (select count(*) from read_csv('{beside}'))", "select list_transform([1], lambda x: (select count(*) from read_csv('{beside}')))",
    "select 1 union all select count(*) from read_csv('{beside}')", "select 1 limit (select count(*) from read_csv('{beside}'))",
    # The network.
    "from read_csv('http://127.0.0.1:1/a.csv')", "from 'http://127.0.0.1:1/a.parquet'", "from 's3://bucket/a.parquet'", "from read_parquet('https://example.invalid/a')",
    # Statements that are no SELECT.
    "copy trades to '/tmp/stolen.csv'", "copy (select 1) to '/tmp/stolen.csv'", "copy trades from '{beside}'", "attach '{beside}' as x", "attach ':memory:' as x", "detach memory",
    "pragma version", "pragma database_list", "install httpfs", "load httpfs", "force install httpfs", "set memory_limit = '8GB'", "set enable_external_access = true",
    "reset enable_external_access", "set lock_configuration = false", "call pragma_version()", "export database '/tmp/stolen'", "import database '/tmp/stolen'", "use memory",
    "create table x as select 1", "create or replace view trades as select 1", "create macro f() as 1", "create secret (type s3)", "drop view trades", "insert into trades select 1",
    "update trades set price_e6 = 1", "delete from trades", "alter table trades rename to x", "explain select 1", "explain analyze select 1", "describe trades", "show tables",
    "show all tables", "summarize trades", "checkpoint", "vacuum", "begin", "prepare p as select 1", "execute p", "pivot trades on market_id using count(*)",
    "from (show tables)", "from (describe trades)", "from (summarize trades)", "select * from (pivot trades on market_id in ('a') using count(*))",
    "with x as (insert into trades values (1) returning *) select * from x", "with x as (delete from trades returning *) from x",
    # Several at once, and one behind a comment.
    "select 1; select 2", "select 1; copy trades to '/tmp/stolen.csv'", "select 1 /* */; /* */ attach ':memory:' as x; --", ";;set threads = 64; select 1", "-- x\ncopy trades to '/tmp/x'",
    "select 1\0; drop view trades",
    # What DuckDB knows of itself, of its settings, of the process.
    "from duckdb_settings()", "from duckdb_secrets()", "from duckdb_views()", "from duckdb_functions()", "from duckdb_logs()", "from duckdb_temporary_files()", "from sqlite_master",
    "from information_schema.tables", "from pg_catalog.pg_tables", "from duckdb_views", "from pragma_database_size()", "from pragma_show('trades')", "from duckdb_external_file_cache()",
    "select current_setting('allowed_paths')", "select CURRENT_SETTING('s3_secret_access_key')", "select getenv('A_PASSWORD')", "select getvariable('x')", "select current_query()",
    "select system.main.current_setting('temp_directory')", "from main.trades", "from memory.main.trades", "from system.information_schema.tables",
    "from query('select 1')", "from query_table('trades')", "from query_table(['trades'])", "from json_execute_serialized_sql(json_serialize_sql('select 1'))", "from which_secret('a', 's3')",
    "select write_log('x')", "select nextval('x')", "from python_map_function()", "from arrow_scan(1, 2, 3)", "from pandas_scan(1)", "from seq_scan('trades')", "from _empty_rejects",
    "from connection", "from sys", "from test_all_types()", "from repeat('x', 1000000)", "from summary('trades')", "from enable_logging()", "from trades at (version => 1)",
    # Names of common table expressions that stand for something else where they do not reach.
    "select * from (with sqlite_master as (select 1) from sqlite_master), sqlite_master", "select * from (with nix as (select 1) from nix), nix", "with \"{beside}\" as (select 1) from '{beside}'",
    "select * from (with \"{beside}\" as (select 1) select 1), '{beside}'", "select (with duckdb_views as (select 1) select 1) from duckdb_views",
]  # fmt: skip


@pytest.mark.parametrize("sql", ATTACKS)
def test_an_attack_is_refused(console: Console, sql: str) -> None:
    """Anybody whom a browser can be made to ask for reads the disk, the environment, or fills it otherwise."""
    import duckdb

    with duckdb.connect() as connection, pytest.raises(Refused):
        gate.tables(connection, _filled(console, sql))


# One of each kind, each a process: the others are refused by the same gate.
ASKED = ["select * from read_csv('{beside}')", "from '{beside}'", "copy trades to '/tmp/stolen.csv'", "select 1; select 2", "select getenv('A_PASSWORD')", "from duckdb_settings()", "from 's3://bucket/a.parquet'"]  # fmt: skip


@pytest.mark.parametrize("sql", ASKED)
def test_an_attack_is_refused_over_the_wire(console: Console, sql: str) -> None:
    assert sql in ATTACKS
    detail = asked(console, _filled(console, sql), 422)["detail"]
    assert SECRET not in detail
    assert not Path("/tmp/stolen.csv").exists()


def _filled(console: Console, sql: str) -> str:
    for name, value in _files(console).items():
        sql = sql.replace("{" + name + "}", value)
    return sql


BEHIND = [
    "from read_csv('{beside}')", "from '{beside}'", "from read_parquet('{file}')", "from read_text('/proc/self/environ')", "from glob('/etc/*')", "copy (select 1) to '/tmp/stolen.csv'",
    "attach '/tmp/stolen.db' as x", "set enable_external_access = true", "set allowed_paths = ['/etc/passwd']", "set lock_configuration = false", "install httpfs", "load httpfs",
    "from 'http://127.0.0.1:1/a.parquet'", "set memory_limit = '8GB'", "export database '/tmp/stolen'", "create table t as select * from read_blob('/etc/passwd')",
    "from query('from read_csv(''{beside}'')')", "select * from lake", "from connection", "set temp_directory = '/tmp'", "pragma enable_logging", "set python_enable_replacements = true",
]  # fmt: skip


@pytest.mark.parametrize("sql", BEHIND)
def test_the_second_wall_stands_without_the_first(console: Console, sql: str) -> None:
    """What the parser's tree is asked for may have a gap that nobody saw: DuckDB itself must open no other file all the same."""
    import duckdb

    lake = console.place.lake()
    with duckdb.connect(config={"python_enable_replacements": False}) as connection:
        found = reading.files(lake, "trades")
        reading.add_view(connection, "trades", found)
        # Without the limits of the process, which would stay with this one.
        answering._lock(connection, found)
        with pytest.raises(duckdb.Error):
            connection.execute(_filled(console, sql)).fetchall()
        assert connection.execute("select count(*) from trades").fetchall() == [(TRADES,)]


ENDLESS = [
    "with recursive t as (select 1 x union all select x + 1 from t) select count(*) from t", "select count(*) from range(1000000000000) a, range(1000000000000) b",
    "select count(distinct a.range * b.range) from range(10000000) a, range(10000000) b", "select sum(sin(a.range)) from range(1000000000000) a",
    "select count(*) from trades a, trades b, trades c, trades d, trades e, trades f, trades g, trades h",
]  # fmt: skip
ENORMOUS = [
    "select repeat('x', 4000000000)", "select length(repeat(repeat('x', 100000), 100000))", "select list(range) from range(1000000000)", "select string_agg(range::varchar) from range(1000000000)",
    "select list_sum(range(10000000000))", "select * from range(1000000000) order by hash(range) desc", "select array_agg(repeat('x', 1000000)) from range(10000)",
    "select " + "(" * 5_000 + "1" + ")" * 5_000, "select " + "-" * 9_000 + " 1", "select " + "[" * 5_000 + "]" * 5_000, "select " + "1+" * 9_000 + "1", "select " * 2_500 + "1",
    "select 1 " + "union all select 1 " * 950, "x" * 20_001,
]  # fmt: skip


@pytest.mark.parametrize("sql", ENDLESS)
def test_what_has_no_end_is_ended(console: Console, sql: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(querying, "WITHIN_S", 1.5)
    began = time.monotonic()
    detail = asked(console, sql, 422)["detail"]
    assert time.monotonic() - began < 3.5
    assert "1.5 seconds" in detail or "memory" in detail


@pytest.mark.parametrize("sql", ENORMOUS, ids=lambda sql: sql[:30])
def test_what_is_enormous_is_bounded(console: Console, sql: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """An answer, cut, or a sentence: never the memory of the machine, and never the end of the console."""
    monkeypatch.setattr(querying, "WITHIN_S", 3.0)
    answer = console.ask("/api/database/query", "POST", json={"sql": sql})
    assert answer.status_code in (200, 422)
    assert len(answer.content) < answering.MOST_RESULT_BYTES + 65_536


def test_sleeping_is_refused(console: Console) -> None:
    assert "sleep_ms cannot be used" in asked(console, "select sleep_ms(60000)", 422)["detail"]


def test_many_rows_are_cut_and_said(console: Console) -> None:
    found = asked(console, "select range from range(1000000000)", limit=querying.MOST_ROWS)
    assert (len(found["rows"]), found["truncated"]) == (querying.MOST_ROWS, True)
    assert asked(console, "select 1 from range(20)", limit=20)["truncated"] is False


def test_large_rows_are_cut_by_their_size_and_said(console: Console) -> None:
    found = asked(console, "select repeat('x', 1000000) from range(100)")
    assert 0 < len(found["rows"]) < 10
    assert found["truncated"] is True


def test_no_more_than_so_many_are_asked_at_once(console: Console, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each has a core and its memory: a dozen browser tabs would take the machine from the recorder."""
    monkeypatch.setattr(querying, "WITHIN_S", 3.0)
    monkeypatch.setattr(querying, "_WAIT_S", 0.2)
    endless = ENDLESS[1]

    def status(_: int) -> int:
        import requests

        return requests.post(
            f"{console.address}/api/database/query", json={"sql": endless}, timeout=20
        ).status_code

    with ThreadPoolExecutor(6) as pool:
        assert sorted(pool.map(status, range(6))) == [422, 422, 503, 503, 503, 503]
    assert asked(console, "select 1")["rows"] == [[1]]


@either_store
def test_a_lake_is_asked_wherever_it_lies_and_an_open_hour_counts(lake: Lake) -> None:
    with served(settings_of(filled(lake))) as console:
        assert asked(console, "select count(*) from trades")["rows"] == [[TRADES]]
        file(lake, "trades", [trade("new", NOON + 5 * HOUR, 1, n=7_000)], "traded_at")
        assert asked(console, "select count(*), count(distinct market_id) from trades")["rows"] == [
            [TRADES + 1, 3]
        ]
        of_it = {"from": "2026-03-02T13:00:00Z", "to": "2026-03-02T14:00:00Z"}
        assert asked(console, "select count(*) from trades", **of_it)["rows"] == [[10]]
        assert "tables are" in asked(console, "from 's3://lake/x.parquet'", 422)["detail"]


def test_a_table_without_files_gives_no_rows_where_there_is_no_lake_yet(tmp_path: Path) -> None:
    with served(settings_of(tmp_path / "nowhere")) as console:
        found = asked(console, "select * from trades")
    assert found["rows"] == []
    assert [column["name"] for column in found["columns"]][:2] == ["trade_id", "traded_at"]


HARMLESS = {"random", "uuid", "gen_random_uuid", "uuidv4", "uuidv7", "setseed", "error", "vector_type"}


def test_every_function_of_duckdb_that_does_something_was_looked_at() -> None:
    """The next release brings functions that wait, write or tell: whoever updates it decides about each."""
    import duckdb

    found = duckdb.execute("select distinct function_name from duckdb_functions() where function_type = 'scalar' and (stability = 'VOLATILE' or has_side_effects)").fetchall()  # fmt: skip
    assert {name for (name,) in found} <= gate.REFUSED_FUNCTIONS | HARMLESS


def test_only_table_functions_on_the_list_pass() -> None:
    import duckdb

    every = "select distinct function_name from duckdb_functions() where function_type in ('table', 'table_macro')"
    with duckdb.connect() as connection:
        passed = {name for (name,) in connection.execute(every).fetchall() if _passes(connection, f"from {name}(1)")}  # fmt: skip
    assert passed == gate.TABLE_FUNCTIONS


def _passes(connection: Any, sql: str) -> bool:
    try:
        return gate.tables(connection, sql) == []
    except Refused:
        return False
