"""The registry of assets: a part of the graph to the module that defines it."""

from types import ModuleType

import dagster as dg

from polymarket_assets.assets import (
    collection,
    features,
    history,
    live,
    markets,
    models,
    operations,
    resolutions,
    trades,
)
from polymarket_assets.assets.columns import with_columns

MODULES: dict[str, ModuleType] = {
    "discovery": markets,
    "collection": collection,
    "stream": trades,
    "history": history,
    "labels": resolutions,
    "features": features,
    "models": models,
    "live": live,
    "operations": operations,
}

ALL = [*dg.map_asset_specs(with_columns, [asset for module in MODULES.values() for asset in module.ASSETS])]
