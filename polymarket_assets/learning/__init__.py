"""From the lake to a judged model: features, training set, training, evaluation, tracking. Nothing here imports Dagster."""
