"""Agreements: of a person, to exactly what a write changes, once, at every door."""

import re
from concurrent.futures import ThreadPoolExecutor

import pytest

from antiphon.features import Tool
from antiphon_ledger import Ledgered
from tests.features.ledger.shop import DATABASE, preview
from tests.helpers.postgres import execute
from tests.helpers.rows import rows

pytestmark = [pytest.mark.once, pytest.mark.processes]

AGREED = {"ledgered": Ledgered(preview=True, agree=True), "idempotent": True}
INTERFACES = ["wsgi", "asgi", "rsgi"]
PERSON = {"x-person": "yes"}


def paying(shop, **options):
    amount = [10]

    def pay(request) -> dict[str, bool]:
        """Pay."""
        request[DATABASE].execute("update t set n = n + %s where id = 1", amount)
        return {"done": True}

    shop.write(pay, **AGREED, **options)
    return amount


@rows("interface", INTERFACES)
def test_rule_12_an_agreement_is_taken_once_in_the_write_itself(interface, shop):
    made = shop()
    paying(made)
    client = made.client(interface)
    assert client.post("/w").status == 428
    seen = preview(client).json
    write = {"headers": {"if-changes": seen["if-changes"]}}
    assert client.post("/w", **write).status == 428  # a precondition is no agreement
    assert (client.get(seen["agreement"]).status, client.post(seen["agreement"]).status) == (403, 403)  # no person
    assert made.client(interface, who="of-bob").get(seen["agreement"], headers=PERSON).status == 404
    assert made.client(interface, who="of-bob").post(seen["agreement"], headers=PERSON).status == 404
    page = client.get(seen["agreement"], headers=PERSON)
    assert "1 update\n(1) update public.t id &#34;1&#34;: n &#34;0&#34; to &#34;10&#34;" in page.text.replace(
        "&quot;", "&#34;"
    )
    assert page.headers["cache-control"] == "no-store"
    assert client.post("/w", **write).status == 428
    assert client.post(seen["agreement"], headers={**PERSON, "sec-fetch-site": "cross-site"}).status == 403
    assert client.post(seen["agreement"], headers=PERSON).status == 200
    assert made.client(interface, who="of-ann-too").post("/w", **write).status == 412  # another credential
    assert client.post("/w", **write).status == 200
    execute(made.url, "update t set n = 0")  # so that the same write would have the same digest
    assert client.post("/w", **write).status == 428
    assert client.post(seen["agreement"], headers=PERSON).status == 404
    assert made.look("select n from t where id = 1") == [(0,)]


def test_rule_12_an_agreement_ends_after_ten_minutes(shop):
    shop = shop()
    paying(shop)
    seen = preview(shop.client()).json
    assert shop.client().post(seen["agreement"], headers=PERSON).status == 200
    execute(shop.url, "update antiphon_ledger.agreement set made = made - interval '11 minutes'")
    assert shop.client().post("/w", headers={"if-changes": seen["if-changes"]}).status == 428
    assert shop.client().post(seen["agreement"], headers=PERSON).status == 404


def test_rule_12_of_many_writes_at_once_one_takes_the_agreement(shop):
    shop = shop()
    execute(shop.url, "create table unused (x int)")

    def add(request):
        request[DATABASE].execute("insert into t (n) values (500)")
        return {}

    shop.write(add, **AGREED)
    client = shop.client()
    seen = preview(client, "/w").json
    assert client.post(seen["agreement"], headers=PERSON).status == 200
    with ThreadPoolExecutor(6) as threads:
        write = {"headers": {"if-changes": seen["if-changes"]}}
        statuses = [*threads.map(lambda _: client.post("/w", **write).status, range(6))]
    assert sorted(statuses) == [200, 428, 428, 428, 428, 428]
    assert shop.look("select count(*) from t where n = 500") == [(1,)]


@rows("interface", INTERFACES)
def test_rule_13_a_tool_asks_the_person_once_and_for_exactly_this(interface, shop):
    shop = shop()
    amount, asked, locked = paying(shop, tool=Tool()), [], []

    def agree(question):
        asked.append(question["params"]["message"])
        execute(
            shop.url, "set lock_timeout = '1s'; update t set title = title where id = 1"
        )  # rule 15: no lock is held
        if len(asked) == 1:
            amount[0] = 1_000_000  # what happens is no longer what was shown
        return True

    client = shop.client(interface)
    done = client.tools.when_asked(agree).call("pay")
    assert done.data == {"done": True}
    assert len(asked) == 2
    assert 'n "0" to "10"' in asked[0]
    assert 'n "0" to "1000000"' in asked[1]
    assert client.tools.when_asked(lambda question: None).call("pay").is_error
    assert client.post("/w").status == 428
    assert shop.look("select n from t where id = 1") == [(1_000_000,)]
    assert locked == []


QUESTIONS = [  # a title, what a person reads
    ("rule 14: a line that looks like another row", "a\nupdate public.t id 9", '"a\\u000aupdate public.t id 9"'),
    ("rule 14: a direction that isn't seen", "\u202etxt.exe", '"\\u202etxt.exe"'),
    ("rule 14: spaces", "a  b\u2800", '"a \\u0020b\\u2800"'),
    ("rule 14: quotes", 'a" to "b', '"a\\" to \\"b"'),
    ("rule 14: letters of another script", "p\u0430y", '"p\u0430y" (letters of several scripts)'),
]


@rows("name, title, shown", QUESTIONS)
def test_a_question_shows_what_is_there(name, title, shown, shop):
    shop = shop()

    def named(request):
        request[DATABASE].execute("update t set title = %s where id = 1", [title])
        return {}

    shop.write(named, tool=True, **AGREED)
    asked = []
    shop.client().tools.when_asked(lambda question: asked.append(question["params"]["message"])).call("named")
    assert f'(1) update public.t id "1": title "tea" to {shown} [' in asked[0]


def test_rule_14_what_a_person_cannot_read_is_refused(shop):
    shop = shop()
    shop.does("insert into t (title) select repeat('x', 100) from generate_series(1, 100)", tool=True, **AGREED)
    before = shop.look()
    called = shop.client().tools.when_asked(lambda question: True).call("w")
    assert called.is_error
    assert shop.look() == before


def test_rule_12_a_retry_of_an_agreed_write_gets_its_response(shop):
    shop = shop()
    paying(shop)
    client = shop.client()
    seen = preview(client).json
    client.post(seen["agreement"], headers=PERSON)
    write = {"headers": {"if-changes": seen["if-changes"], "idempotency-key": '"one"'}}
    assert [client.post("/w", **write).status for _ in range(2)] == [200, 200]
    assert shop.look("select n from t where id = 1") == [(10,)]


@rows("interface", INTERFACES)
def test_rule_13_where_only_the_page_counts_no_client_of_a_tool_agrees(interface, shop):
    shop = shop()
    shop.does("update t set n = 10 where id = 1", tool=True, idempotent=True, ledgered=Ledgered(True, agree="page"))
    client, asked = shop.client(interface), []
    tools = client.tools.when_asked(lambda question: asked.append(question) or True)
    refused = tools.call("w")
    assert (refused.is_error, asked, shop.look("select n from t where id = 1")) == (True, [], [(0,)])
    page = re.search(r"/\.agreements/[\w-]+", refused.text)[0]
    assert client.post(page).status == 403  # the program is no person
    assert client.post(page, headers=PERSON).status == 200
    assert tools.call("w").data == {"done": True}
    execute(shop.url, "update t set n = 0")
    assert tools.call("w").is_error  # once
    assert shop.look("select n from t where id = 1") == [(0,)]


JSON = {"content-type": "application/json"}
FORM = {"content-type": "application/x-www-form-urlencoded"}
ARGUMENTS = [  # a body that is agreed to, another one, and whether it is agreed to as well
    ("spaces and the order of names", JSON, '{"a": 1, "b": [1.5, null]}', '{ "b":[1.50,null],"a":1 }', True),
    ("another spelling of text", JSON, '{"a": "\u00e4"}', '{"a": "\\u00e4"}', True),
    ("another value", JSON, '{"a": 1}', '{"a": 2}', False),
    ("another type", JSON, '{"a": 1}', '{"a": 1.0}', False),
    ("text of a number", JSON, '{"a": 1.5}', '{"a": "1.5"}', False),
    ("the order of a list", JSON, "[1, 2]", "[2, 1]", False),
    ("digits that a float hasn't", JSON, '{"a": 0.1}', '{"a": 0.1000000000000000055}', False),
    ("a number above all floats", JSON, '{"a": 1e400}', '{"a": 1e401}', False),
    ("a number that can't be computed", JSON, '{"a": 1e99999999}', '{"a": 1e99999998}', False),
    ("a name that is there twice", JSON, '{"a": 1, "a": 2}', '{"a": 2}', False),
    ("no JSON", JSON, "{'a': 1}", "{'a':1}", False),
    ("a form whose text is encoded in another way", FORM, "a=x+y&b=1", "a=x%20y&b=%31", True),
    ("a form with another value", FORM, "a=1", "a=2", False),
    ("a form with one more", FORM, "a=1", "a=1&a=1", False),
    ("the same bytes of another type", {"content-type": "text/plain"}, "a=1", "a=1", True),
    ("other bytes", {"content-type": "text/plain"}, "a=1", "a = 1", False),
]  # fmt: skip


def test_rule_10_arguments_are_values_however_they_are_written(shop):
    shop = shop()
    shop.write(lambda request: request.body and {}, name="w")
    client, found = shop.client(), []
    for name, fields, one, other, _ in ARGUMENTS:
        seen = preview(client, body=one, fields=fields)
        assert seen.status == 200, (name, seen.text)
        sent = [client.post("/w", body=each.encode(), headers={"if-changes": seen.json["if-changes"], **fields})
                for each in (one, other)]  # fmt: skip
        found.append((name, *[each.status for each in sent]))
    assert found == [(name, 200, 200 if is_same else 412) for name, *_, is_same in ARGUMENTS]


def test_rule_10_of_a_form_with_files_their_names_and_bytes_count(shop):
    shop = shop()
    shop.write(lambda request: {}, name="w")
    client = shop.client()

    def form(boundary, content="tea"):
        said = "content-disposition: form-data; name="
        parts = [f'{said}"a"\r\n\r\n1', f'{said}"f"; filename="x"\r\ncontent-type: text/plain\r\n\r\n{content}']
        body = "".join([f"--{boundary}\r\n{each}\r\n" for each in parts]) + f"--{boundary}--\r\n"
        return body, {"content-type": f"multipart/form-data; boundary={boundary}"}

    body, fields = form("one")
    digest = {"if-changes": preview(client, body=body, fields=fields).json["if-changes"]}
    sent = [form("other"), form("one", "milk")]
    assert [client.post("/w", body=body.encode(), headers={**digest, **fields}).status for body, fields in sent] == [
        200,
        412,
    ]
