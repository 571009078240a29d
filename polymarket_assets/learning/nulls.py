"""How often each feature has no value, per source: as figures, and as a picture."""

from __future__ import annotations

import io
from collections import Counter, defaultdict
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.compute as pc

from polymarket_assets.learning.features.catalogue import FEATURES, GROUPS

_DPI = 60
_INCHES_A_ROW = 0.16


@dataclass
class Nulls:
    """Counts over all rows that were added."""

    rows: Counter[str] = field(default_factory=Counter)
    absent: defaultdict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))

    def add(self, rows: pa.Table) -> None:
        """Count rows of `features`."""
        for source in pc.unique(rows.column("source")).to_pylist():
            of_source = rows.filter(pc.equal(rows.column("source"), source))
            self.rows[source] += of_source.num_rows
            self.absent[source].update({f.name: of_source.column(f.name).null_count for f in FEATURES})

    def rates(self) -> dict[str, dict[str, float]]:
        """By source and feature, the share of rows without a value, 0 … 1."""
        return {source: {f.name: round(self.absent[source][f.name] / count, 4) for f in FEATURES} for source, count in sorted(self.rows.items()) if count}  # fmt: skip

    def picture(self) -> bytes:
        """A PNG: features by group downwards, sources across; the darker, the more often null. Empty without rows."""
        rates = self.rates()
        return _drawn(rates, self.rows) if rates else b""


def _drawn(rates: dict[str, dict[str, float]], rows: Counter[str]) -> bytes:
    """Figures of their own: pyplot's global state is not for servers."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    names = [feature.name for feature in FEATURES]
    figure = Figure(figsize=(3.2 + 0.9 * len(rates), 1.2 + _INCHES_A_ROW * len(names)), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    axes.imshow([[rates[source][name] for source in rates] for name in names], cmap="Blues", vmin=0, vmax=1, aspect="auto")  # fmt: skip
    for row, name in enumerate(names):
        for column, source in enumerate(rates):
            share = rates[source][name]
            axes.text(column, row, f"{share:.0%}", ha="center", va="center", fontsize=7, color="white" if share > 0.6 else "#333333")  # fmt: skip
    axes.set_yticks(range(len(names)), names, fontsize=7)
    axes.set_xticks(range(len(rates)), [f"{source}\n{rows[source]:,} rows" for source in rates], fontsize=8)
    axes.xaxis.tick_top()
    edges = [len(group) for group in GROUPS.values()]
    for border in (sum(edges[:n]) - 0.5 for n in range(1, len(edges))):
        axes.axhline(border, color="#d1495b", linewidth=0.8)
    axes.set_title("Share of rows without a value", loc="left", fontsize=10)
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=_DPI)
    return file.getvalue()
