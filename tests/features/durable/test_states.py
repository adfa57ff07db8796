"""Each state of a durable request, seen by each way of looking at it: none is left out, nor breaks the contract."""

import time

import pytest

from antiphon import App
from antiphon.cli.debug.mode import switch_on
from antiphon.cli.debug.requests import JOBS, WithLastRequests
from antiphon.cli.target import Target
from antiphon.features import Durable, Health, OpenAPI
from antiphon.handler.errors import set_debug_page
from antiphon.testing import Client
from tests.helpers.postgres import execute

pytestmark = pytest.mark.processes
pytest.importorskip("dbos")

SEEN = {  # the state of DBOS, that of ours on the debug page, the response to its client, and whether it has failed
    "ENQUEUED": ("queued", 202, 0),
    "DELAYED": ("queued", 202, 0),
    "PENDING": ("open", 202, 0),
    "SUCCESS": ("finished", 200, 0),
    "ERROR": ("failed", 500, 1),
    "MAX_RECOVERY_ATTEMPTS_EXCEEDED": ("failed", 500, 1),
    "CANCELLED": ("cancelled", 500, 0),
}
PUT = """update dbos.workflow_status set status = %s, error = %s, queue_name = 'nobody', executor_id = 'another'
where workflow_uuid = %s"""


def test_a_request_is_seen_alike_in_each_state(postgres, monkeypatch, caplog):
    monkeypatch.setattr("antiphon.cli.debug.mode._viewers", None)
    switch_on(is_for_loopback=True)
    app, durable = App(secret_keys=["k" * 32]), Durable(postgres, wait=0.5)
    durable._engine._watches = list
    for feature in durable, Health(), OpenAPI("Shop"):
        app.use(feature)
    app.post("/<state>", durable=True)(lambda request, state: state)
    served, seen = WithLastRequests(app, "wsgi", Target("shop", "app")), {}
    with Client(app, "wsgi"), Client(served, "wsgi", base_url="http://localhost") as client:
        for state in SEEN:
            key, failed = {"idempotency-key": f'"{state}"'}, durable._engine.failed
            assert client.post(f"/{state}", headers=key).text == state
            id_ = durable._id_of(f"idempotent\n{state}")
            error = durable._engine._serializer.serialize(ValueError("no"))
            execute(postgres, PUT, state, error if state == "ERROR" else None, id_)
            durable._engine._clean()
            where = f"/durable/{durable._addresses.sign(id_.encode(), time.time()).decode()}"
            statuses = [client.post(f"/{state}", headers=key).status, client.get(where, headers=key).status]
            shown = client.get(JOBS).text.partition("<dd>")[2].split()[0]
            seen[state] = shown, statuses, client.get("/readyz").json["durable"]["failed"] - failed
    set_debug_page(None)
    assert seen == {state: (shown, [status] * 2, failed) for state, (shown, status, failed) in SEEN.items()}
    assert "its contract" not in caplog.text
