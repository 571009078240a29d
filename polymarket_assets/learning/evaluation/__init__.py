"""Evaluation: is the model better than the market's own price, and than every cheap improvement of it, on events it has not seen?

Everything rests on rows with weights (each group about once) and on groups as the unit of chance, because one outcome
decides many rows (ML.md 4). `docs/evaluation.md` says what each figure is.
"""

from polymarket_assets.learning.evaluation.against import Against
from polymarket_assets.learning.evaluation.claims import CLAIM_GROUPS
from polymarket_assets.learning.evaluation.intervals import DRAWS, Bounds, Interval
from polymarket_assets.learning.evaluation.judging import (
    ALL,
    OPEN,
    SEALED,
    STORED,
    UPDOWN,
    Evaluation,
    evaluate,
    judge_predictions,
)
from polymarket_assets.learning.evaluation.scores import Scores

__all__ = [
    "ALL",
    "CLAIM_GROUPS",
    "DRAWS",
    "OPEN",
    "SEALED",
    "STORED",
    "UPDOWN",
    "Against",
    "Bounds",
    "Evaluation",
    "Interval",
    "Scores",
    "evaluate",
    "judge_predictions",
]
