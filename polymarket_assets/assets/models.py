"""Learning: the training set, a model that starts from the price, its judgement against the price, and which model is followed."""

import dagster as dg
from pydantic import Field

from polymarket_assets import console_links
from polymarket_assets.assets.columns import CONSOLE
from polymarket_assets.assets.running import materialized, metadata, told_plainly, written_metadata
from polymarket_assets.masking import masked
from polymarket_assets.partitions import utc_now
from polymarket_assets.resources import LakeResource, SettingsResource, TrackingResource
from polymarket_assets.watching.models import DECIDED, GATES

# One seed for everything random in a training run, so that it can be repeated.
SEED = 7


class TrainingConfig(dg.Config):
    """How a model is made."""

    TRIALS: int = Field(
        0, ge=0, le=100
    )  # shapes tried at each cut and for the model; 0: the small trees of the documentation


@dg.asset(
    deps=["features", "history_features", "resolutions"],
    group_name="models",
    kinds={"duckdb", "parquet"},
    owners=["team:learning"],
)
def training_set(context: dg.AssetExecutionContext, lake: LakeResource) -> dg.MaterializeResult:
    """Features of decided markets with their labels and weights; what was left out is counted by reason."""
    from polymarket_assets.learning import training_set as building

    with told_plainly():
        opened = lake.open()
        built = building.build(opened, now=utc_now())
        written = building.publish(opened, built)
        return materialized(context, {**written_metadata(written), **metadata({"left_out": built.census})})


@dg.asset(deps=[training_set], group_name="models", kinds={"xgboost", "mlflow"}, owners=["team:learning"])
def model(
    context: dg.AssetExecutionContext, config: TrainingConfig, lake: LakeResource, tracking: TrackingResource
) -> dg.MaterializeResult:
    """XGBoost on the price's own log-odds: it learns corrections only. Tracked in MLflow with all it came from; the challenger from now on."""
    from polymarket_assets.learning import making
    from polymarket_assets.learning import tracking as recording
    from polymarket_assets.learning import training_set as building

    with told_plainly():
        address, opened = tracking.address(), lake.open()
        recording.require(address)
        made = making.made(opened, building.read(opened), address, seed=SEED, trials=config.TRIALS, now=utc_now(), log=context.log.info)  # fmt: skip
        told = {"mlflow_run_id": made.run_id, "mlflow": _link(address, made.run_id), "version": made.version, CONSOLE: dg.MetadataValue.url(console_links.of_models(made.version.rpartition("/")[2])), "rows": made.rows, "kappa": made.kappa, "trials": made.trials}  # fmt: skip
        return materialized(context, told)


@dg.asset(deps=[model], group_name="models", kinds={"mlflow"}, owners=["team:learning"])
def evaluation(context: dg.AssetExecutionContext, lake: LakeResource, tracking: TrackingResource) -> dg.MaterializeResult:  # fmt: skip
    """Does it beat the market's own price on unseen events, and what would trading it have brought? Figures, pictures and a page to send."""
    from polymarket_assets.learning import making

    with told_plainly():
        address, run_id = tracking.address(), _newest_run(context)
        judged = making.judged(lake.open(), run_id, address)
        context.log.info(judged.evaluation.verdict)
        context.log.info(judged.backtest.verdict)
        told = {"mlflow_run_id": run_id, "mlflow": _link(address, run_id), **judged.evaluation.metadata(), "backtest": judged.backtest.verdict}  # fmt: skip
        shown = {name: dg.MetadataValue.md(picture) for name, picture in judged.pictures.items()}
        return materialized(context, {**told, **shown})


@dg.asset(
    deps=[evaluation, "predictions", "resolutions"],
    group_name="models",
    kinds={"mlflow"},
    owners=["team:learning"],
)
def promotion(
    context: dg.AssetExecutionContext, lake: LakeResource, tracking: TrackingResource, settings: SettingsResource
) -> dg.MaterializeResult:  # fmt: skip
    """Which model is followed: gates decide on each step, print why, and give a champion up for the price where it wears out."""
    from polymarket_assets.learning.promotion.reviewing import Review
    from polymarket_assets.learning.registered import ALIASES
    from polymarket_assets.learning.tracking.registry import Registry

    with told_plainly():
        address = tracking.address()
        registry = Registry(address)
        review = Review(lake.open(), registry, address, utc_now(), tuple(settings.read().stream_tiers))
        decisions = list(review.decisions())
        for decision in decisions:
            context.log.info(decision.said)
        versions = {alias: registry.at(alias) for alias in ALIASES}
        told = {alias: version.name for alias, version in versions.items() if version}
        tables = "\n\n".join(decision.table() for decision in decisions) or "no version asks for anything"
        said = dg.MetadataValue.json([decision.said for decision in decisions])
        return materialized(context, {**told, GATES: dg.MetadataValue.md(tables), DECIDED: said})


def _newest_run(context: dg.AssetExecutionContext) -> str:
    """The tracking run of the newest materialisation of `model`."""
    event = context.instance.get_latest_materialization_event(dg.AssetKey("model"))
    if event is None or event.asset_materialization is None:
        raise dg.Failure("there is no model to judge: materialize `model` first", allow_retries=False)
    return str(event.asset_materialization.metadata["mlflow_run_id"].value)


def _link(address: str, run_id: str) -> dg.MetadataValue:
    """The run's page, where the tracking server has pages."""
    from polymarket_assets.learning.tracking import links

    page = links.of_run(address, run_id)
    return dg.MetadataValue.url(page) if page else dg.MetadataValue.text(f"run {run_id} in {masked(address)}")


ASSETS = [training_set, model, evaluation, promotion]
