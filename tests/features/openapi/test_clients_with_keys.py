"""Generated clients send an API key in the header that the document names.

`scripts/weekly api-clients` fetches the generators; without them the tests are skipped.
"""

import json
from types import SimpleNamespace

import pytest

from antiphon import App
from antiphon.features import APIKey, MemoryStore, OpenAPI, Users, scopes_required
from tests.contract.process import ServerProcess
from tests.contract.wire import SentRequest
from tests.helpers.api_clients import TSC, are_there, make_python_client, make_typescript_types, run, run_python

pytestmark = [pytest.mark.once, pytest.mark.processes]

PYTHON = """
import json, sys
from lamps_client import AuthenticatedClient, Client
from lamps_client.api.default import lamps
from lamps_client.models import LampsResponse200

url, header, key = sys.argv[1:]
client = AuthenticatedClient(url, token=key, prefix="", auth_header_name=header)
found = lamps.sync(client=client)
assert isinstance(found, LampsResponse200) and found["owner"] == "ann"
assert lamps.sync_detailed(client=AuthenticatedClient(url, token=key)).status_code == 401
"""
TYPESCRIPT = """
import createClient from "openapi-fetch";
import type { paths } from "./api.d.ts";

const [url, header, key] = process.argv.slice(2);
const statuses = [];
for (const headers of [{ [header]: key }, { authorization: `Bearer ${key}` }]) {
    const client = createClient<paths>({ baseUrl: url, headers });
    const { data, response } = await client.GET("/lamps");
    statuses.push(response.status);
    if (data !== undefined && data.owner !== "ann") throw new Error(data.owner);
}
if (String(statuses) !== "200,401") throw new Error(String(statuses));
"""


def make_app() -> App:
    app = App(store=MemoryStore())
    app.use(Users(keys := APIKey(lambda owner: SimpleNamespace(name=owner))))
    app.use(OpenAPI("Lamps"))
    app.post("/keys", name="keys")(lambda request: keys.create("ann", scopes=["read"]))

    @app.get("/lamps", before=scopes_required("read"))
    def lamps(request) -> dict[str, str]:
        return {"owner": request.user.name}

    return app


@pytest.fixture
def called(tmp_path):
    """The folder with the document, and the arguments of a program: the URL, the header of the keys, and a key."""
    if not are_there():
        pytest.skip("scripts/weekly api-clients fetches the generators")
    with ServerProcess(("-m", "antiphon", "run", "{app}", "--port", "{port}"), f"{__name__}:make_app") as process:
        document = json.loads(process.respond(SentRequest("GET", "/openapi.json")).body)
        key = process.respond(SentRequest("POST", "/keys", (), b"")).body.decode()
        (tmp_path / "openapi.json").write_text(json.dumps(document))
        ((name, scopes),) = document["paths"]["/lamps"]["get"]["security"][0].items()
        scheme = document["components"]["securitySchemes"][name]
        assert (scheme["type"], scheme["in"], scopes) == ("apiKey", "header", ["read"])
        yield tmp_path, (f"http://127.0.0.1:{process.port}", scheme["name"], key)


def test_a_client_in_python_sends_the_key(called):
    folder, arguments = called
    make_python_client(folder)
    (folder / "calls.py").write_text(PYTHON)
    assert run_python(folder, "python", "calls.py", *arguments) == (0, "")


def test_a_client_in_typescript_sends_the_key(called):
    folder, arguments = called
    make_typescript_types(folder)
    (folder / "calls.ts").write_text(TYPESCRIPT)
    code, said = run(folder, *TSC, "calls.ts")
    assert code == 0, said
    assert run(folder, "node", "js/calls.js", *arguments) == (0, "")
