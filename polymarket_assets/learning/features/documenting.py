"""`docs/features.md`, written from the declarations (`python -m polymarket_assets.learning docs > docs/features.md`), and a page of the same."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
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


def page(names: Iterable[str]) -> str:
    """These features as a page to look at beside a model: a row each, as in the document."""
    import jinja2

    chosen = set(names)
    rows = [(group, feature.name, *_cells(feature)) for group, features in GROUPS.items() for feature in features if feature.name in chosen]  # fmt: skip
    template = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined).from_string(_PAGE)
    return template.render(heads=("group", "feature", *_HEADS), rows=rows)


_HEADS = ("what", "unit", "of", "back", "null when", "leak note", "idea")
_PAGE = """<!doctype html><meta charset="utf-8"><title>Features</title>
<style>
body { font: 13px/1.4 system-ui, sans-serif; margin: 1em } table { border-collapse: collapse }
th { text-align: left; position: sticky; top: 0; background: #fff } td, th { padding: .3em .6em; border-bottom: 1px solid #ddd; vertical-align: top }
td:nth-child(2) { font-family: monospace }
</style>
<table><tr>{% for head in heads %}<th>{{ head }}{% endfor %}
{% for row in rows %}<tr>{% for cell in row %}<td>{{ cell }}{% endfor %}
{% endfor %}</table>
"""


def _group(group: str, features: tuple[Feature, ...]) -> Iterator[str]:
    said = (import_module(f"polymarket_assets.learning.features.{group}").__doc__ or "").split("\n\n", 1)
    yield f"## {group.capitalize()}\n"
    yield said[0].split(": ", 1)[-1].replace("\n", " ").strip().capitalize()
    if len(said) > 1:
        yield "\n" + said[1].replace("\n", " ").strip()
    yield f"\n| feature | {' | '.join(_HEADS)} |\n|---|{'---|' * len(_HEADS)}"
    yield from (_row(feature) for feature in features)
    yield ""


def _row(feature: Feature) -> str:
    name = f"`{feature.name}`{' ±' if feature.is_signed else ''}"
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in (name, *_cells(feature)))} |"


def _cells(feature: Feature) -> tuple[str, ...]:
    return (
        feature.what,
        feature.unit,
        feature.sources,
        feature.back,
        feature.null,
        feature.leak,
        feature.idea,
    )


def _idle() -> Iterator[str]:
    yield "## Sources\n"
    yield from (f"- **{letter}** {said}" for letter, said in SOURCES.items())
    yield ""
