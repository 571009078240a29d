"""A registry in memory, in the place of a tracking server; it may crash at a write."""

from __future__ import annotations

from dataclasses import replace

from polymarket_assets.learning.tracking.registry import Registry, Version


class Crash(Exception):
    """The process ended."""


class Remembered(Registry):
    """Versions and aliases; `crash_at`: the write before which the process ends, counted from 0."""

    def __init__(
        self, aliases: dict[str, Version], versions: list[Version], crash_at: int | None = None
    ) -> None:
        super().__init__("nowhere")
        self.aliases = {alias: version.number for alias, version in aliases.items()}
        self.versions = {version.number: replace(version, tags=dict(version.tags)) for version in versions}
        self.writes, self.crash_at = 0, crash_at

    def at(self, alias: str) -> Version | None:
        number = self.aliases.get(alias)
        return None if number is None else self._copy(number)

    def point(self, alias: str, number: str | None) -> None:
        self._write()
        self.aliases.pop(alias, None)
        if number is not None:
            self.aliases[alias] = number

    def tag(self, version: Version, tags: dict[str, str]) -> None:
        for name, value in tags.items():
            self._write()
            self.versions[version.number].tags[name] = value

    def held_price(self) -> Version | None:
        return next((self._copy(number) for number, one in self.versions.items() if one.says_the_price), None)

    def metric(self, version: Version, name: str) -> float | None:
        return None

    def _copy(self, number: str) -> Version:
        held = self.versions[number]
        return replace(held, tags=dict(held.tags))

    def _write(self) -> None:
        if self.writes == self.crash_at:
            raise Crash
        self.writes += 1
