"""Each state of a durable request, seen by each way of looking at it: none is left out, nor breaks the contract."""

import time
from contextlib import ExitStack, closing

import pytest

from antiphon import App
from antiphon.features import Durable, Health, OpenAPI
from antiphon.testing import Client
from tests.helpers.postgres import execute
from tests.helpers.waiting import DEADLINE

pytestmark = pytest.mark.processes
pytest.importorskip("dbos")

SEEN = {  # the state of DBOS, that of ours, whether it has failed, and the responses to a look and to a retry
    "ENQUEUED": ("queued", 0, 202, 202),
    "DELAYED": ("queued", 0, 202, 202),
    "PENDING": ("open", 0, 202, 202),
    "SUCCESS": ("finished", 0, 200, 200),
    "ERROR": ("failed", 1, 500, 200),
    "MAX_RECOVERY_ATTEMPTS_EXCEEDED": ("failed", 1, 500, 200),
    "CANCELLED": ("cancelled", 0, 500, 500),
}
PUT = """update dbos.workflow_status set status = %s, error = %s, queue_name = 'nobody', executor_id = 'another'
where workflow_uuid = %s"""


def test_a_request_is_seen_alike_in_each_state(postgres, caplog):
    app, durable = App(secret_keys=["k" * 32]), Durable(postgres, wait=0.5)
    durable._engine._watches = list
    for feature in durable, Health(), OpenAPI("Shop"):
        app.use(feature)
    app.post("/<state>", durable=True)(lambda request, state: state)
    seen = {}
    with Client(app, "wsgi") as client, ExitStack() as stack:
        client.get("/readyz")
        administration = stack.enter_context(closing(durable._administration()))
        for state in SEEN:
            durable._engine._clean()
            key, failed = {"idempotency-key": f'"{state}"'}, durable._engine.failed
            assert client.post(f"/{state}", headers=key).text == state
            id_ = durable._id_of(f"idempotent\n{state}")
            error = durable._engine.serializer.serialize(ValueError("no"))
            execute(postgres, PUT, state, error if state == "ERROR" else None, id_)
            durable._engine._clean()
            where = f"/durable/{durable._addresses.sign(id_.encode(), time.time()).decode()}"
            work = administration.find(id_)
            assert work in administration.works(work.state, "POST /<state>")
            failed = client.get("/readyz").json["durable"]["failed"] - failed
            looked, repeated = client.get(where, headers=key).status, client.post(f"/{state}", headers=key).status
            end = time.monotonic() + DEADLINE
            while repeated == 202 != SEEN[state][-1] and time.monotonic() < end:  # what runs again may take longer
                repeated = client.post(f"/{state}", headers=key).status
            seen[state] = (work.state, failed, looked, repeated)
    assert seen == SEEN
    assert "its contract" not in caplog.text
