"""Generated clients of a tracker with a strict document: each result is typed, and none is missing.

`scripts/weekly api-clients` fetches the generators; without them the tests are skipped.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from antiphon.features.openapi.document import Info, make_document
from tests.contract.process import ServerProcess
from tests.features.openapi import tracker
from tests.helpers.api_clients import TSC, are_there, make_python_client, make_typescript_types, run, run_python
from tests.helpers.processes import RUN

pytestmark = [pytest.mark.once, pytest.mark.processes]

PAGE = (Path(__file__).parents[3] / "docs" / "how-to" / "openapi-clients.md").read_text()
CONFIGURATION = PAGE.partition('```yaml title="config.yml"\n')[2].partition("```")[0]

PYTHON_CALLS = """
import sys

from tracker_client import Client
from tracker_client.api.tracker import tracker_add, tracker_change, tracker_index, tracker_show
from tracker_client.models import NewTicket, Problem, Ticket, TrackerChangeJsonBody

client = Client(sys.argv[1], raise_on_unexpected_status=True)
made = tracker_add.sync_detailed(client=client, body=NewTicket("Ticket 1", note="at night"))
ticket = made.parsed
assert isinstance(ticket, Ticket) and (ticket.id, ticket.title, ticket.note) == (1, "Ticket 1", "at night")
assert (made.status_code, made.headers["location"], made.headers["etag"]) == (201, "/tracker/tickets/1", '"v1"')
taken = tracker_add.sync(client=client, body=NewTicket("Ticket 1"))
assert isinstance(taken, Problem) and taken.detail == "There is a ticket with this title."
invalid = tracker_add.sync(client=client, body=NewTicket(""))
assert isinstance(invalid, Problem) and isinstance(invalid.errors, list) and invalid.errors[0].pointer == "/title"
changed = tracker_change.sync(1, client=client, body=TrackerChangeJsonBody(note=None), if_match='"v1"')
assert isinstance(changed, Ticket) and (changed.title, changed.note, changed.version) == ("Ticket 1", None, 2)
late = tracker_change.sync(1, client=client, body=TrackerChangeJsonBody(title="No"), if_match='"v1"')
assert isinstance(late, Problem) and late.status == 412
shown = tracker_show.sync_detailed(1, client=client)
assert isinstance(shown.parsed, Ticket) and shown.parsed == changed
unchanged = tracker_show.sync_detailed(1, client=client, if_none_match=shown.headers["etag"])
assert (unchanged.status_code, unchanged.parsed) == (304, None)
missing = tracker_show.sync(7, client=client)
assert isinstance(missing, Problem) and missing.detail == "There is no ticket 7."
for at in range(2, 46):
    more = tracker_add.sync(client=client, body=NewTicket(f"Ticket {at}"))
    assert isinstance(more, Ticket)
seen: list[Ticket] = []
while True:
    page = tracker_index.sync_detailed(client=client, after=seen[-1].id if seen else 0)
    assert isinstance(page.parsed, list) and page.headers["x-total-count"] == "45"
    seen += page.parsed
    if "link" not in page.headers:
        break
assert [each.id for each in seen] == [*range(1, 46)]
assert isinstance(tracker_index.sync(client=client, limit=0), Problem)
"""

TYPESCRIPT_CALLS = """
import createClient from "openapi-fetch";
import type { components, paths } from "./api.d.ts";
type Ticket = components["schemas"]["Ticket"];

const client = createClient<paths>({ baseUrl: process.argv[2] });
const check = (isRight: boolean, told: string) => { if (!isRight) throw new Error(told); };
const made = await client.POST("/tracker/tickets", { body: { title: "Ticket 1", note: "at night" } });
if (made.error) throw new Error(made.error.title);
const ticket: Ticket = made.data;
check(ticket.id === 1 && ticket.title === "Ticket 1" && made.response.headers.get("etag") === '"v1"', "made");
const taken = await client.POST("/tracker/tickets", { body: { title: "Ticket 1" } });
check(taken.error?.detail === "There is a ticket with this title.", "taken");
const invalid = await client.POST("/tracker/tickets", { body: { title: "" } });
check(invalid.error?.errors?.[0].pointer === "/title", "invalid");
const change = (title: string) => client.PATCH("/tracker/tickets/{id}", {
    params: { path: { id: 1 }, header: { "If-Match": '"v1"' } },
    headers: { "content-type": "application/merge-patch+json" },
    body: { title },
});
const changed = await change("Other");
if (changed.error) throw new Error(changed.error.title);
const version: number = changed.data.version;
check(version === 2 && changed.data.title === "Other" && changed.data.note === "at night", "changed");
check((await change("Late")).error?.status === 412, "late");
const show = (id: number, etag?: string) => client.GET("/tracker/tickets/{id}", {
    params: { path: { id }, header: { "If-None-Match": etag } },
});
const shown = await show(1);
if (shown.error) throw new Error(shown.error.title);
const again: Ticket = shown.data;
check(again.version === 2, "shown");
check((await show(1, shown.response.headers.get("etag") ?? "")).response.status === 304, "unchanged");
check((await show(7)).error?.detail === "There is no ticket 7.", "missing");
for (let at = 2; at <= 45; at++) {
    const more = await client.POST("/tracker/tickets", { body: { title: `Ticket ${at}` } });
    check(more.data?.id === at, "more");
}
const seen: Ticket[] = [];
for (let goesOn = true; goesOn; ) {
    const page = await client.GET("/tracker/tickets", { params: { query: { after: seen.at(-1)?.id ?? 0 } } });
    if (page.error) throw new Error(page.error.title);
    seen.push(...page.data);
    goesOn = page.response.headers.has("link");
}
check(seen.length === 45 && seen[44].title === "Ticket 45", "pages");
check((await client.GET("/tracker/tickets", { params: { query: { limit: 0 } } })).error?.status === 422, "query");
"""


class Service(NamedTuple):
    """The tracker that is served, and a folder with its document."""

    folder: Path
    url: str


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    if not are_there():
        pytest.skip("scripts/weekly api-clients fetches the generators")
    document = make_document(tracker.make_app(), Info("Tracker", prefix="/tracker"))
    (tmp_path / "openapi.json").write_text(json.dumps(document.content))
    with ServerProcess(RUN, f"{tracker.__name__}:make_app") as process:
        yield Service(tmp_path, f"http://127.0.0.1:{process.port}")


def test_each_result_of_a_client_in_python_is_typed_and_there(service: Service) -> None:
    (service.folder / "config.yml").write_text(CONFIGURATION)
    make_python_client(service.folder)
    (service.folder / "calls.py").write_text(PYTHON_CALLS)
    checked = run_python(service.folder, "mypy", "--strict", "--follow-imports", "silent", "calls.py")
    assert checked[1].startswith("Success"), checked
    code, said = run_python(service.folder, "python", "calls.py", service.url)
    assert (code, said) == (0, ""), said


def test_each_result_of_a_client_in_typescript_is_typed_and_there(service: Service) -> None:
    make_typescript_types(service.folder)
    (service.folder / "calls.ts").write_text(TYPESCRIPT_CALLS)
    code, said = run(service.folder, *TSC, "calls.ts")
    assert code == 0, said
    code, said = run(service.folder, "node", "js/calls.js", service.url)
    assert (code, said) == (0, ""), said
