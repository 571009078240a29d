"""What a model looked at and how much it had to learn from: gains, effects, learning curve. Training writes it, a report shows it."""

from __future__ import annotations

from dataclasses import dataclass, field

from polymarket_assets.venue.errors import MalformedPayload


@dataclass(frozen=True)
class Explained:
    """Of one model.

    `gains`: each feature's share of the total gain, largest first. `effects`: per feature the middle of an equal-mass bin
    of its values, or a category, and the mean contribution there, logits after kappa. `learning_curve`: groups trained
    on, and the log-loss gain over the mid on the newest open fold, nats.
    """

    gains: dict[str, float] = field(default_factory=dict)
    effects: dict[str, list[tuple[float | str, float]]] = field(default_factory=dict)
    learning_curve: list[tuple[int, float]] = field(default_factory=list)

    def to_json(self) -> str:
        """As text; `from_json` gives the same back."""
        import msgspec

        return msgspec.json.encode(self).decode()

    @classmethod
    def from_json(cls, text: str | bytes) -> Explained:
        """From text. Raises `MalformedPayload` where it is no such thing."""
        import msgspec

        try:
            return msgspec.json.decode(text, type=cls)
        except (msgspec.DecodeError, UnicodeDecodeError) as e:
            raise MalformedPayload("explained", text, str(e)) from e
