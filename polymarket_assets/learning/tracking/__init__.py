"""MLflow: one run per training, with everything needed to judge, repeat and serve it, and a registry of what is followed.

A model is logged as code and native boosters; what is loaded takes `mid` and the features and cannot be
asked without the price. `load_out_of_fold` gives an evaluation the same rows later.
"""

from polymarket_assets.learning.registered import EXPERIMENT
from polymarket_assets.learning.tracking.provenance import code_version, fingerprint
from polymarket_assets.learning.tracking.runs import (
    fetch_report,
    load_explained,
    load_out_of_fold,
    load_profiles,
    log_evaluation,
    log_training,
)
from polymarket_assets.learning.tracking.server import require

__all__ = [
    "EXPERIMENT",
    "code_version",
    "fetch_report",
    "fingerprint",
    "load_explained",
    "load_out_of_fold",
    "load_profiles",
    "log_evaluation",
    "log_training",
    "require",
]
