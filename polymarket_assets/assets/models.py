"""Learning: the training set, a model that starts from the price, and its judgement against the price."""

import dagster as dg

from polymarket_assets.assets.running import materialized, metadata, told_plainly, written_metadata
from polymarket_assets.partitions import utc_now
from polymarket_assets.resources import LakeResource, TrackingResource

# One seed for everything random in a training run, so that it can be repeated.
SEED = 7


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
    context: dg.AssetExecutionContext, lake: LakeResource, tracking: TrackingResource
) -> dg.MaterializeResult:
    """XGBoost on the price's own log-odds: it learns corrections only. Tracked in MLflow with all it came from."""
    from polymarket_assets.learning import tracking as recording
    from polymarket_assets.learning import training
    from polymarket_assets.learning import training_set as building

    with told_plainly():
        address = tracking.address()
        recording.require(address)
        rows = building.read(lake.open())
        run_id = recording.log_training(training.train(rows, seed=SEED), rows, address)
        told = {"mlflow_run_id": run_id, "mlflow": _link(address, run_id), "rows": rows.num_rows}
        return materialized(context, told)


@dg.asset(deps=[model], group_name="models", kinds={"mlflow"}, owners=["team:learning"])
def evaluation(context: dg.AssetExecutionContext, tracking: TrackingResource) -> dg.MaterializeResult:
    """Does it beat the market's own price on unseen events? Log loss and Brier with event-clustered intervals, per source."""
    from polymarket_assets.learning import evaluation as judging
    from polymarket_assets.learning import tracking as recording

    with told_plainly():
        address, run_id = tracking.address(), _newest_run(context)
        judged = judging.evaluate(recording.load_predictions(run_id, address))
        recording.log_evaluation(run_id, judged, address)
        context.log.info(judged.verdict)
        told = {"mlflow_run_id": run_id, "mlflow": _link(address, run_id), **judged.metadata()}
        return materialized(context, told)


def _newest_run(context: dg.AssetExecutionContext) -> str:
    """The tracking run of the newest materialisation of `model`."""
    event = context.instance.get_latest_materialization_event(dg.AssetKey("model"))
    if event is None or event.asset_materialization is None:
        raise dg.Failure("there is no model to judge: materialize `model` first", allow_retries=False)
    return str(event.asset_materialization.metadata["mlflow_run_id"].value)


def _link(address: str, run_id: str) -> dg.MetadataValue:
    """The run's page, where the tracking server has pages."""
    if not address.startswith("http"):
        return dg.MetadataValue.text(f"run {run_id} in {address}")
    return dg.MetadataValue.url(f"{address}/#/runs/{run_id}")


ASSETS = [training_set, model, evaluation]
