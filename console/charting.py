"""The library that draws charts, as the browser gets it: the release that Altair writes for, out of its wheel.

Making it takes a hundred megabytes for a moment: a process of its own has them, once.
"""

from __future__ import annotations

import subprocess
import sys
from contextlib import suppress
from functools import cache
from typing import Any

from polymarket_assets.report.page import config
from polymarket_assets.venue.errors import Unavailable

_MAKE = "import sys, vl_convert; sys.stdout.write(vl_convert.javascript_bundle(vl_version=sys.argv[1]))"
# It takes two seconds on an idle machine.
_WITHIN_S = 60.0


def load() -> None:
    """Import what draws, before anybody asks: threads that import pandas, where it may be, at the same time meet half of it."""
    import altair  # noqa: F401

    with suppress(ModuleNotFoundError):
        import pandas  # noqa: F401


def release() -> str:
    """Of Vega-Lite, as vl-convert names it."""
    import altair

    return ".".join(altair.SCHEMA_VERSION.lstrip("v").split(".")[:2])


@cache
def library() -> bytes:
    """JavaScript with `vegaEmbed`. Raises `Unavailable`."""
    try:
        made = subprocess.run([sys.executable, "-c", _MAKE, release()], capture_output=True, timeout=_WITHIN_S, check=True)  # fmt: skip
    except (subprocess.SubprocessError, OSError) as e:
        raise Unavailable(f"the library of charts could not be made: {e}") from e
    return made.stdout


def configs() -> dict[str, dict[str, Any]]:
    """Inks on light and dark paper."""
    return {theme: config(theme) for theme in ("light", "dark")}


@cache
def trust() -> None:
    """Make charts without checking every piece against the schema of Vega-Lite, which the tests of reports do: it is half of the time."""
    from altair.utils import schemapi

    schemapi.disable_debug_mode()


def spec(chart: Any) -> dict[str, Any]:
    """A chart of Altair as wide as its place; the page has the inks. That it is one is known of the tests of who makes it."""
    made: dict[str, Any] = chart.to_dict(validate=False)
    made.pop("config", None)
    return made | {"width": "container"}
