"""What `aar export` wrote, read back by the tools it was written for; on stdout as one JSON object for a test to compare.

    python -m venv out/exports && out/exports/bin/pip install -r tests/exports/requirements.txt
    AAR_EXPORT_PYTHON=$PWD/out/exports/bin/python cargo test --release -p aar-study --test exports
"""

import json
import math
import os
import pathlib
import sys

# MLflow keeps reading its files, but wants to be told that one knows of its databases.
os.environ["MLFLOW_ALLOW_FILE_STORE"] = "true"


def parquet(folder):
    import pyarrow.parquet

    tables = {}
    for path in sorted(folder.glob("*.parquet")):
        table = pyarrow.parquet.read_table(path)
        kinds = {field.name: str(field.type) for field in table.schema}
        tables[path.stem] = {"rows": table.num_rows, "kinds": kinds, "first": table.slice(0, 1).to_pylist()}
    return tables


def mlflow(folder):
    from mlflow.tracking import MlflowClient

    client = MlflowClient((folder / "mlruns").resolve().as_uri())
    experiments = [experiment for experiment in client.search_experiments() if experiment.experiment_id == "1"]
    runs = client.search_runs(["1"], max_results=5000)
    found = {}
    for run in runs:
        loss = client.get_metric_history(run.info.run_id, "loss/seed-0") if "loss/seed-0" in run.data.metrics else []
        found[run.data.params["evaluation"]] = {
            "name": run.info.run_name,
            "status": run.info.status,
            "by": run.data.params["by"],
            "pgr": run.data.metrics.get("pgr"),
            "loss": [[point.step, point.value] for point in sorted(loss, key=lambda point: point.step)],
        }
    return {"experiments": [experiment.name for experiment in experiments], "runs": found}


def tensorboard(folder):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    found = {}
    for run in sorted((folder / "tensorboard").iterdir()):
        events = EventAccumulator(str(run)).Reload()
        scalars = {tag: [[event.step, event.value] for event in events.Scalars(tag)] for tag in events.Tags()["scalars"]}
        found[str(int(run.name))] = {tag: scalars.get(tag, []) for tag in ["pgr", "loss/seed-0"]}
    return found


def main():
    folder = pathlib.Path(sys.argv[1])
    read = {"parquet": parquet(folder), "mlflow": mlflow(folder), "tensorboard": tensorboard(folder)}
    json.dump(read, sys.stdout, default=lambda value: None if isinstance(value, float) and math.isnan(value) else str(value))


if __name__ == "__main__":
    main()
