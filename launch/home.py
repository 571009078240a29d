"""Where an installation keeps its things: the folders that settings leave open, made on first use."""

from __future__ import annotations

from pathlib import Path

from polymarket_assets.settings import NotConfigured, Settings, load

PROJECT = Path(__file__).resolve().parents[1]


def settle(base: Path, **fixed: object) -> Settings:
    """Settings with every open folder placed under `base`, and the folders made.

    Raises:
        NotConfigured: a variable is malformed, or names a folder that cannot be made.
    """
    given = load(**fixed)
    placed: dict[str, object] = {
        "lake_root": given.lake_root or str(base / "lake"),
        "state_dir": given.state_dir or base / "state",
        "dagster_home": given.dagster_home or base / "dagster",
        "mlflow_tracking_uri": given.mlflow_tracking_uri or f"http://127.0.0.1:{given.mlflow_port}",
    }
    settings = load(**{**fixed, **placed})
    for name, folder in (("STATE_DIR", settings.state_dir), ("DAGSTER_HOME", settings.dagster_home), ("the folder", base / "mlflow")):  # fmt: skip
        _make(name, Path(str(folder)))
    _link_instance(Path(str(settings.dagster_home)))
    return settings


def _make(name: str, folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as e:
        raise NotConfigured(
            f"{name}={folder} cannot be used: {e.strerror}; name a folder that can be written"
        ) from e


def _link_instance(dagster_home: Path) -> None:
    """The instance is described by the project's own `dagster.yaml`, unless somebody put another there."""
    target = dagster_home / "dagster.yaml"
    if not target.exists():
        target.unlink(missing_ok=True)
        target.symlink_to(PROJECT / "dagster.yaml")
