"""MLflow's answers to what records experiments and runs: `scripts/wall mlflow` runs this."""

import json
import os
from urllib.parse import urlencode

import pytest
from conversation import Exchange, answers

JSON = {"Content-Type": "application/json"}
API = "/api/2.0/mlflow"


def post(path, fields):
    return Exchange("POST", f"{API}/{path}", JSON, body=json.dumps(fields))


def get(path, **query):
    return Exchange("GET", f"{API}/{path}?{urlencode(query)}")


EXCHANGES = [
    Exchange("GET", "/health"),
    Exchange("GET", "/version"),
    Exchange("HEAD", "/health"),
    Exchange("OPTIONS", "/health"),
    Exchange("POST", "/health"),
    Exchange("GET", "/nowhere"),
    Exchange("GET", "/static-files/../../handlers.py"),
    Exchange("GET", "/graphql"),
    post("experiments/create", {"name": "choirs"}),
    post("experiments/create", {"name": "choirs"}),
    post("experiments/create", {}),
    post("experiments/create", {"name": 5}),
    Exchange("POST", f"{API}/experiments/create", JSON, body="{not JSON"),
    Exchange("POST", f"{API}/experiments/create", {"Content-Type": "text/plain"}, body='{"name": "plain"}'),
    get("experiments/get", experiment_id=1),
    get("experiments/get", experiment_id=99),
    get("experiments/get"),
    get("experiments/get-by-name", experiment_name="choirs"),
    get("experiments/get-by-name", experiment_name="Chöre"),
    post("experiments/search", {"max_results": 10}),
    get("experiments/search", max_results=10),
    post("experiments/search", {"max_results": -1}),
    post("experiments/set-experiment-tag", {"experiment_id": "1", "key": "voices", "value": "two"}),
    post("experiments/update", {"experiment_id": "1", "new_name": "Chöre"}),
    post("experiments/delete", {"experiment_id": "1"}),
    post("experiments/restore", {"experiment_id": "1"}),
    post("runs/create", {"experiment_id": "99"}),
    get("runs/get", run_id="none"),
    post("runs/search", {"experiment_ids": ["1"]}),
    post("registered-models/create", {"name": "antiphon"}),
    get("registered-models/get", name="antiphon"),
    get("registered-models/search", filter="name = 'antiphon'"),
    Exchange(
        "PATCH", f"{API}/registered-models/update", JSON, body='{"name": "antiphon", "description": "two choirs"}'
    ),
    Exchange("DELETE", f"{API}/registered-models/delete", JSON, body='{"name": "antiphon"}'),
    Exchange("GET", "/ajax-api/2.0/mlflow/metrics/get-history-bulk"),
    Exchange("GET", "/get-artifact?run_id=none&path=../a"),
    Exchange("POST", f"{API}/experiments/search", {**JSON, "Origin": "https://elsewhere.example"}, body="{}"),
]


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    folder = tmp_path_factory.mktemp("store")
    os.environ |= {
        "_MLFLOW_SERVER_FILE_STORE": f"sqlite:///{folder}/mlflow.db",
        "_MLFLOW_SERVER_ARTIFACT_ROOT": "/artifacts",
    }
    from mlflow.server import app

    return answers(app, EXCHANGES, "csrf=(.+)")


@pytest.mark.parametrize("number", range(len(EXCHANGES)), ids=lambda number: EXCHANGES[number].name)
def test_mlflow_answers_as_on_the_original(both, number):
    given, expected = both
    assert given[number] == expected[number]
