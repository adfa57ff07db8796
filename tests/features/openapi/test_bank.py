"""A bank's document: its clients by several generators know money, keys and headers, and Schemathesis finds nothing.

`scripts/weekly api-clients` fetches the generators; without them their tests are skipped.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from antiphon.features.openapi.document import Info, make_document
from tests.contract.process import ServerProcess
from tests.contract.wire import SentRequest
from tests.features.openapi import bank
from tests.helpers import api_clients as clients

pytestmark = [pytest.mark.once, pytest.mark.processes]

DOCUMENT = make_document(bank.make_app(), Info("Bank", prefix="/v1"))
OPERATIONS = {
    f"{method.upper()} {path}": each
    for path, item in DOCUMENT.content["paths"].items()
    for method, each in item.items()
}


def schemas(part: Any) -> Iterator[dict[str, Any]]:
    """Yield each schema within a part of the document."""
    if isinstance(part, dict):
        if {"type", "pattern", "enum", "const"} & part.keys():
            yield part
        part = [*part.values()]
    for each in part if isinstance(part, list) else ():
        yield from schemas(each)


PATTERNS = sorted({each["pattern"] for each in schemas(DOCUMENT.content) if isinstance(each.get("pattern"), str)})


def test_nothing_is_unknown_and_money_is_a_string() -> None:
    assert DOCUMENT.unknown == []
    assert "{}" not in json.dumps(DOCUMENT.content["paths"]) + json.dumps(DOCUMENT.content["components"])
    assert not [each for each in schemas(DOCUMENT.content) if "number" in each.get("type", ())]
    assert len(PATTERNS) == 5
    assert not re.findall(r"\(\?[^:]", " ".join(PATTERNS))


HEADERS = {
    "POST /v1/transfers 201": {"Location", "RateLimit", "RateLimit-Policy"},
    "POST /v1/transfers 409": {"RateLimit", "RateLimit-Policy", "Retry-After"},
    "POST /v1/transfers 429": {"RateLimit", "RateLimit-Policy", "Retry-After"},
    "POST /v1/transfers 401": {"RateLimit", "RateLimit-Policy", "WWW-Authenticate"},
    "GET /v1/accounts/{id} 200": {"ETag"},
    "GET /v1/accounts/{id}/entries 200": {"Link", "X-Total"},
}


def test_each_header_has_a_type_and_each_operation_a_scope() -> None:
    assert {scope for each in OPERATIONS.values() for scope in each["security"][0]["APIKey"]} == {*bank.SCOPES}
    found = {
        f"{name} {status}": response.get("headers", {})
        for name, operation in OPERATIONS.items()
        for status, response in operation["responses"].items()
    }
    assert {name: {*found[name]} for name in HEADERS} == HEADERS
    assert all(field["schema"]["type"] for fields in found.values() for field in fields.values())


# Clients

PYTHON_CALLS = """
import sys
from bank_client import AuthenticatedClient
from bank_client.api.bank import bank_entries, bank_hold, bank_open_account, bank_show_account, bank_transfer
from bank_client.api.default import create_key
from bank_client.models import (
    Account, AccountToOpen, Hold, HoldOrder, KeyOrder, KeyOrderScopesItem, LacksMoney, Problem, Transfer, TransferOrder,
)

url, key = sys.argv[1:]
client = AuthenticatedClient(url, token=key, prefix="", auth_header_name="X-API-Key")

def opened(name: str) -> Account:
    account = bank_open_account.sync(client=client, body=AccountToOpen(name, overdraft="9.50"), idempotency_key=name)
    assert isinstance(account, Account)
    return account

one, two = opened("one"), opened("two")
order = TransferOrder(one.id, two.id, "0.10")
sent = bank_transfer.sync(client=client, body=order, idempotency_key="transfer")
assert isinstance(sent, Transfer)
amount: str = sent.amount
refused = bank_transfer.sync(client=client, body=TransferOrder(one.id, two.id, "99"), idempotency_key="other")
assert isinstance(refused, LacksMoney)
available: str = refused.available
assert (amount, available) == ("0.10", "9.40")
held = bank_hold.sync(one.id, client=client, body=HoldOrder("1.00"), idempotency_key="hold")
assert isinstance(held, Hold) and held.state == "open"
entries = bank_entries.sync(one.id, client=client, limit=1)
assert isinstance(entries, list) and entries[0].amount == "-0.10"
wrong = bank_hold.sync(one.id, client=client, body=HoldOrder("0.001"), idempotency_key="wrong")
assert isinstance(wrong, Problem) and wrong.status == 422
assert create_key.sync(client=client, body=KeyOrder("reader", [KeyOrderScopesItem.ACCOUNTS])) is not None
assert bank_show_account.sync_detailed(one.id, client=AuthenticatedClient(url, token=key)).status_code == 401
"""
TYPESCRIPT_CALLS = """
import createClient from "openapi-fetch";
import type { components, paths } from "./api.d.ts";

const [url, key] = process.argv.slice(2);
const client = createClient<paths>({ baseUrl: url, headers: { "x-api-key": key } });
const header = (key: string) => ({ header: { "Idempotency-Key": key } });
type Headers = paths["/v1/transfers"]["post"]["responses"][201]["headers"];
const typed: Pick<Headers, "Location" | "RateLimit" | "RateLimit-Policy"> = { Location: "/", RateLimit: "" };
// @ts-expect-error: a header is text
const wrong: Headers["Location"] = 1;

const { data: one } = await client.POST("/v1/accounts", { body: { name: "one" }, params: header("one") });
if (!one) throw new Error("It is not opened.");
const balance: string = one.balance;
const body = { source: one.id, target: one.id, amount: "0.10" };
const { error } = await client.POST("/v1/transfers", { body, params: header("transfer") });
if (!error || !("available" in error)) throw new Error("It is not refused.");
const available: string = error.available;
if (available !== "0") throw new Error(available);
// @ts-expect-error: money is text
const number = { ...body, amount: 0.1 } satisfies components["schemas"]["TransferOrder"];
const refused = await createClient<paths>({ baseUrl: url, headers: { authorization: key } }).GET("/v1/accounts");
if (refused.response.status !== 401) throw new Error("It is not refused.");
"""
GO_CALLS = """package main

import ("bank"; "context"; "os"; "regexp")

func check(err error) {
    if err != nil {
        panic(err)
    }
}

func main() {
    for _, each := range []string{PATTERNS} {
        regexp.MustCompile(each)
    }
    settings := bank.NewConfiguration()
    settings.Servers = bank.ServerConfigurations{{URL: os.Args[1]}}
    settings.AddDefaultHeader("X-API-Key", os.Args[2])
    client := bank.NewAPIClient(settings)
    ctx := context.Background()
    account := *bank.NewAccountToOpen("one")
    account.SetOverdraft("10.50")
    one, _, err := client.BankAPI.BankOpenAccount(ctx).AccountToOpen(account).IdempotencyKey("one").Execute()
    check(err)
    order := *bank.NewTransferOrder(one.Id, one.Id, "0.10")
    sent, response, err := client.BankAPI.BankTransfer(ctx).TransferOrder(order).IdempotencyKey("go").Execute()
    check(err)
    var amount string = sent.Amount
    none, _, err := client.BankAPI.BankEntries(ctx, one.Id).After(1 << 40).Execute()
    check(err)
    entries, _, err := client.BankAPI.BankEntries(ctx, one.Id).Execute()
    check(err)
    if amount != "0.10" || response.Header.Get("Location") == "" || len(none) != 0 || entries[0].Amount != "-0.10" {
        panic(entries)
    }
}
"""


Service: TypeAlias = tuple[Path, str, str]
"""A folder with the document of a bank that is served, its URL, and a key with each scope."""


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    if not clients.are_there():
        pytest.skip("scripts/weekly api-clients fetches the generators")
    (tmp_path / "openapi.json").write_text(json.dumps(DOCUMENT.content))
    command = ("-m", "antiphon", "run", "{app}", "--port", "{port}")
    with ServerProcess(command, f"{bank.__name__}:make_app") as process:
        key = process.respond(SentRequest("POST", "/first-key", (), b"")).body.decode()
        yield tmp_path, f"http://127.0.0.1:{process.port}", key


def test_a_client_in_python(service: Service) -> None:
    folder, url, key = service
    assert "Warning" not in clients.make_python_client(folder)
    (folder / "calls.py").write_text(PYTHON_CALLS)
    checks = ("mypy", "--strict", "--follow-imports", "silent", "calls.py")
    code, said = clients.run_python(folder, *checks)
    assert code == 0, said
    assert clients.run_python(folder, "python", "calls.py", url, key) == (0, "")


def test_a_client_in_typescript(service: Service) -> None:
    folder, url, key = service
    clients.make_typescript_types(folder)
    (folder / "calls.ts").write_text(TYPESCRIPT_CALLS)
    code, said = clients.run(folder, *clients.TSC, "calls.ts")
    assert code == 0, said
    assert clients.run(folder, "node", "js/calls.js", url, key) == (0, "")


def test_a_client_in_go(service: Service) -> None:
    folder, url, key = service
    if not clients.has_java():
        pytest.skip("the generator of clients in Go needs a JDK")
    code, said = clients.make_go_client(folder, "bank")
    assert code == 0, said
    program = GO_CALLS.replace("PATTERNS", ", ".join(map(json.dumps, PATTERNS)))
    code, said = clients.run_go(folder, program, url, key)
    assert code == 0, said


# What the document can't say: a key belongs to one request, a condition may not hold, a server refuses some bytes.
SCHEMATHESIS = """
headers = { X-API-Key = "KEY" }
hooks = "hooks.py"
[generation]
exclude-header-characters = "CONTROLS"
[checks.positive_data_acceptance]
expected-statuses = ["2xx", "3xx", 401, 403, 404, 409, 412, 429]
"""
HOOKS = """
from uuid import uuid4

import schemathesis


@schemathesis.hook
def before_call(context, case, kwargs):
    if case.meta and case.meta.generation.mode.is_positive and "Idempotency-Key" in (case.headers or {}):
        case.headers["Idempotency-Key"] = str(uuid4())
"""


def test_schemathesis_finds_nothing(service: Service) -> None:
    folder, url, key = service
    controls = "".join(f"\\u{each:04x}" for each in (*range(1, 9), *range(11, 13), *range(14, 32), 127))
    settings = SCHEMATHESIS.replace("KEY", key, 1).replace("CONTROLS", controls)
    (folder / "schemathesis.toml").write_text(settings)
    (folder / "hooks.py").write_text(HOOKS)
    code, said = clients.run(folder, clients.PYTHON / "st", "run", f"{url}/v1/openapi.json", "-n", "50")
    assert code == 0, said
    cases = int(said.rpartition(" generated")[0].split()[-1])
    assert cases >= 350
