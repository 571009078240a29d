"""The registry of assets: a part of the graph to the module that defines it."""

from types import ModuleType

from polymarket_assets.assets import (
    collection,
    features,
    history,
    markets,
    models,
    operations,
    resolutions,
    trades,
)

MODULES: dict[str, ModuleType] = {
    "discovery": markets,
    "collection": collection,
    "stream": trades,
    "history": history,
    "labels": resolutions,
    "features": features,
    "models": models,
    "operations": operations,
}

ALL = [asset for module in MODULES.values() for asset in module.ASSETS]
