"""Which of the files given are of which form: by their columns, and by name only where columns are missing; or as a mapping says."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from polymarket_assets.history_import import mapping
from polymarket_assets.history_import.errors import BadDataset, UnknownForm
from polymarket_assets.history_import.forms import FORMS, NOT_FORMS, mapped
from polymarket_assets.history_import.forms.declare import File, Form

# How mappings are recognised.
MAPPINGS = (".yaml", ".yml")
# Sources of our own rows.
RESERVED = ("polymarket", "recorded")


@dataclass
class Dataset:
    """The files found of one form, by role."""

    form: Form
    files: dict[str, list[Path]] = field(default_factory=dict)

    @property
    def paths(self) -> list[Path]:
        """Every file of the dataset."""
        return [path for found in self.files.values() for path in found]


@dataclass(frozen=True)
class Found:
    """Datasets to import, and files that were passed over with the reason."""

    datasets: tuple[Dataset, ...]
    passed_over: tuple[tuple[Path, str], ...]


def find(paths: Sequence[Path], *, only: Sequence[str] = ()) -> Found:
    """The datasets among files, folders and mappings.

    Raises:
        UnknownForm: a path is not there, or nothing of a known (or the wanted) form was found.
        BadDataset: a file's partner is missing, or a mapping is mistaken.
    """
    files = _files(paths)
    datasets = _mapped([path for path in files if path.suffix in MAPPINGS])
    wanted = _wanted(only, datasets)
    passed_over: list[tuple[Path, str]] = []
    named = {path for dataset in datasets.values() for path in dataset.paths}
    for path in files:
        if path.suffix in MAPPINGS or path in named:
            continue
        recognised, why = _recognise(path)
        if recognised is None:
            passed_over.append((path, why))
        elif recognised[0].name not in wanted:
            passed_over.append((path, f"{recognised[0].name} was not asked for"))
        else:
            form, file = recognised
            datasets.setdefault(form.name, Dataset(form)).files.setdefault(file.role, []).append(path)
    datasets = {name: dataset for name, dataset in datasets.items() if name in wanted}
    _check_found(paths, datasets, only)
    _check_partners(datasets.values())
    in_order = [
        *(name for name in FORMS if name in datasets),
        *(name for name in datasets if name not in FORMS),
    ]
    return Found(tuple(datasets[name] for name in in_order), tuple(passed_over))


def _mapped(files: Iterable[Path]) -> dict[str, Dataset]:
    """The datasets that mappings describe. Raises `BadDataset` with every mistake in any of them."""
    found: dict[str, Dataset] = {}
    reasons: list[str] = []
    for path in files:
        try:
            read = mapping.read(path)
        except BadDataset as e:
            reasons += e.reasons
            continue
        if read.source in (*FORMS, *found, *RESERVED):
            reasons.append(f"{path.name}: source: {read.source} is taken, name it differently")
        sections = {name: section.paths(path.parent) for name, section in read.sections.items()}
        found[read.source] = Dataset(mapped.form(read), sections)
    if reasons:
        raise BadDataset(reasons)
    return found


def _wanted(only: Sequence[str], mapped: Iterable[str]) -> Sequence[str]:
    known = (*FORMS, *mapped)
    unknown = [name for name in only if name not in known]
    if unknown:
        raise UnknownForm(f"no form is called {unknown[0]!r}; known forms are {_known()}")
    return only or known


def _files(paths: Sequence[Path]) -> list[Path]:
    """The files meant by paths: a folder means the Parquet files and the mappings in it; each once, in order."""
    found: dict[Path, None] = {}
    for path in paths:
        if not path.exists():
            raise UnknownForm(f"{path} is not there")
        inside = [path]
        if path.is_dir():
            inside = sorted(file for file in path.iterdir() if file.suffix in (".parquet", *MAPPINGS))
        found |= {file.resolve(): None for file in inside}
    return list(found)


def _recognise(path: Path) -> tuple[tuple[Form, File] | None, str]:
    """The form and file that a path is, else why it is none."""
    roles = [(form, file) for form in FORMS.values() for file in form.files]
    try:
        columns = set(pq.read_schema(path).names)
    except (pa.ArrowInvalid, OSError):
        return None, "no readable Parquet file"
    for form, file in roles:
        if file.signature <= columns:
            return (form, file), ""
    for known, why in NOT_FORMS:
        if known <= columns:
            return None, why
    for form, file in roles:
        if path.stem in (f"{form.name}_{file.role}", form.name):
            return (form, file), ""
    return None, "of no known form"


def _check_found(paths: Sequence[Path], datasets: dict[str, Dataset], only: Sequence[str]) -> None:
    missing = [name for name in only if name not in datasets]
    if not datasets or missing:
        what = f"of the form {missing[0]}" if missing else "of a known form"
        raise UnknownForm(
            f"{', '.join(map(str, paths))} holds no file {what}; known forms are {_known()}; nothing was imported"
        )


def _check_partners(datasets: Iterable[Dataset]) -> None:
    reasons = [
        f"{dataset.form.name}: its {file.role} are missing beside {dataset.paths[0].name} (a file with the columns {', '.join(sorted(file.signature))})"
        for dataset in datasets
        for file in dataset.form.files
        if file.role not in dataset.files
    ]
    if reasons:
        raise BadDataset(reasons)


def _known() -> str:
    return "; ".join(f"{form.name} ({form.holds})" for form in FORMS.values())
