"""MLflow's history: runs, their figures, registered versions and aliases. Artifacts are files, and copied by whoever moves."""

from __future__ import annotations

import sqlalchemy as sa

from polymarket_assets.moving import rows
from polymarket_assets.venue.errors import Refused, Unavailable

# What a server makes for itself at its first start is replaced; these are made by people.
_PEOPLES = ("runs", "registered_models")
_VERSION = sa.table("alembic_version", sa.column("version_num"))


def move(source: str, target: str) -> dict[str, int]:
    """Copy everything from one database to another, both named as `--backend-store-uri` is; returns rows by table.

    Raises:
        Refused: the target has runs or models, is of another version, or a run goes on.
        Unavailable: one of them cannot be opened.
    """
    try:
        with sa.create_engine(source).connect() as old, sa.create_engine(target).begin() as new:
            return _moved(old, new)
    except (sa.exc.OperationalError, sa.exc.ArgumentError, ModuleNotFoundError) as e:
        raise Unavailable(f"a database of MLflow cannot be opened: {str(e).splitlines()[0]}") from e


def _moved(old: sa.Connection, new: sa.Connection) -> dict[str, int]:
    _require_one_version(old, new)
    there = set(sa.inspect(new).get_table_names())
    found = [table for table in tables() if table.name in there]
    named = {table.name: table for table in found}
    if rows.any_in([named[name] for name in _PEOPLES], new):
        raise Refused(
            "the new database has runs or models of its own: name one that MLflow has only just made"
        )
    runs = named["runs"]
    if old.execute(sa.select(runs.c.run_uuid).where(runs.c.status == "RUNNING").limit(1)).first():
        raise Refused("a training is under way: let it end, or mark its run as killed")
    for table in reversed(found):
        new.execute(sa.delete(table))
    return rows.copy(found, old, new)


def _require_one_version(old: sa.Connection, new: sa.Connection) -> None:
    """Schemas are MLflow's own: its server makes them at its first start, and `mlflow db upgrade` moves them on."""
    versions = [_version(connection) for connection in (old, new)]
    if None in versions:
        raise Refused("one of these is no database of MLflow: start its server on it once")
    if len(set(versions)) > 1:
        raise Refused(
            f"their schemas differ ({versions[0]}, {versions[1]}): `mlflow db upgrade` the older one"
        )


def _version(connection: sa.Connection) -> str | None:
    if "alembic_version" not in sa.inspect(connection).get_table_names():
        return None
    return connection.execute(sa.select(_VERSION.c.version_num)).scalar_one_or_none()


def tables() -> list[sa.Table]:
    """Of runs and models, each after those that it refers to."""
    import mlflow.store.model_registry.dbmodels.models
    import mlflow.store.tracking.dbmodels.models  # noqa: F401
    from mlflow.store.db.base_sql_model import Base

    return list(Base.metadata.sorted_tables)
