"""`docs/features.md`, written from the declarations: `python -m polymarket_assets.learning docs > docs/features.md`."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

from polymarket_assets.learning.features.catalogue import FEATURES, GROUPS
from polymarket_assets.learning.features.declaring import SOURCES, Feature

_PROSE = Path(__file__).with_name("prose.md")


def markdown() -> str:
    """The whole document: what a row is, then every feature by group."""
    prose = _PROSE.read_text(encoding="utf-8").replace("{count}", str(len(FEATURES)))
    return "\n".join(
        [
            prose.rstrip() + "\n",
            *(line for group, features in GROUPS.items() for line in _group(group, features)),
            *_idle(),
        ]
    )


def _group(group: str, features: tuple[Feature, ...]) -> Iterator[str]:
    said = (import_module(f"polymarket_assets.learning.features.{group}").__doc__ or "").split("\n\n", 1)
    yield f"## {group.capitalize()}\n"
    yield said[0].split(": ", 1)[-1].replace("\n", " ").strip().capitalize()
    if len(said) > 1:
        yield "\n" + said[1].replace("\n", " ").strip()
    yield "\n| feature | what | unit | of | back | null when | leak note | idea |\n|---|---|---|---|---|---|---|---|"
    yield from (_row(feature) for feature in features)
    yield ""


def _row(feature: Feature) -> str:
    name = f"`{feature.name}`{' ±' if feature.is_signed else ''}"
    cells = (
        name,
        feature.what,
        feature.unit,
        feature.sources,
        feature.back,
        feature.null,
        feature.leak,
        feature.idea,
    )
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def _idle() -> Iterator[str]:
    yield "## Sources\n"
    yield from (f"- **{letter}** {said}" for letter, said in SOURCES.items())
    yield ""
