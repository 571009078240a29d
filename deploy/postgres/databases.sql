-- Beside the history of Dagster (POSTGRES_DB): experiments, runs and versions of models.
create database mlflow;
