"""Callers who were taken for one another, or for nobody: over sockets, with two processes that share a store."""

import itertools
import json

import pytest

from antiphon import Request
from antiphon.features import sign
from tests.contract.process import ServerProcess
from tests.contract.wire import AUTHORITY, SentRequest
from tests.helpers.callers import KEYS, STAGING
from tests.helpers.stores import SHARED, place_of
from tests.helpers.waiting import eventually

pytestmark = [pytest.mark.once, pytest.mark.processes]

RUN = "-m", "antiphon", "run", "{app}", "--port", "{port}", "--interface", "asgi"


class Shop:
    """Two servers, which are asked in turn."""

    def __init__(self, servers, payments):
        self._servers = itertools.cycle(servers)
        self._payments = payments
        self._numbers = itertools.count(1)

    def ask(self, path, json_body=None, method="POST", body=b"{}", **fields):
        """Return the status and the text of a response."""
        body = body if json_body is None else json.dumps(json_body).encode()
        content = {"content-type": "application/json"} if method == "POST" else {}
        lines = tuple((name.replace("_", "-"), value) for name, value in (content | fields).items())
        sent = SentRequest(method, path, lines, body if method == "POST" else None)
        self.response = next(self._servers).respond(sent)
        return self.response.status, self.response.body.decode()

    def get(self, path, **fields):
        return self.ask(path, method="GET", **fields)

    def cookie(self, path, key):
        """Log a user in and return the field of the session."""
        assert self.ask(path, key)[0] == 200
        return {"cookie": next(value for name, value in self.response.fields if name == "set-cookie").partition(";")[0]}

    def signed(self, who, path, **fields):
        made = sign(Request.blank(f"http://{AUTHORITY}{path}", "POST", body=b"{}"), KEYS[who], keyid=who)
        names = ("signature", "signature-input", "content-digest")
        return self.ask(path, **fields, **{name: made.headers[name] for name in names})

    def new_key(self):
        return {"idempotency_key": f'"order-{next(self._numbers)}"'}

    @property
    def payments(self):
        return len(self._payments.read_text().splitlines()) if self._payments.exists() else 0


@pytest.fixture(scope="module", params=SHARED)
def shop(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("shop")
    store = place_of(request.param, request, folder)
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {"STORE": store, "PAYMENTS": folder / "payments"}.items():
            patch.setenv(name, str(value))
        app = "tests.helpers.served.partners:app"
        with ServerProcess(RUN, app) as one, ServerProcess(RUN, app) as other:
            yield Shop([one, other], folder / "payments")


@pytest.mark.parametrize("path", ["/signed/pay", "/signed/in/pay"])
def test_two_signers_with_one_key_pay_once_each(shop, path):
    before, key = shop.payments, shop.new_key()
    ann, ben, ann_again, ben_again = [shop.signed(who, path, **key) for who in ("ann", "ben", "ann", "ben")]
    assert (ann[0], ann, ben) == (200, ann_again, ben_again)
    assert ann != ben
    assert shop.payments == before + (2 if ben[0] == 200 else 1)
    assert ben[0] in (200, 422)


@pytest.mark.parametrize("path", ["/pay", "/flask/pay"])
def test_a_shared_authorization_hides_no_session(shop, path):
    """Of two users of one staging site, also in a view of Flask."""
    before, key = shop.payments, shop.new_key()
    staging = {"authorization": STAGING["authorization"]}
    cookies = {who: staging | shop.cookie("/login", who) for who in KEYS}
    ann, ben, ann_again = [shop.ask(path, **key, **cookies[who]) for who in ("ann", "ben", "ann")]
    assert (ann[0], ann) == (200, ann_again)
    assert (ben[0] == 422) or (ben[0] == 200 and ben != ann)
    assert shop.payments == before + (2 if ben[0] == 200 else 1)


def test_a_token_logs_its_user_out_everywhere(shop):
    sessions = [shop.cookie("/login", who) for who in ("ann", "ann", "ben")]
    assert [shop.get("/me", **each)[0] for each in sessions] == [200] * 3
    assert shop.ask("/logout", authorization="Bearer ann-secret")[0] == 200
    assert [shop.get("/me", **each)[0] for each in (*sessions, *sessions)] == [401, 401, 200] * 2


def test_a_key_that_may_only_read_does_not_pay(shop):
    keys = {scope: shop.ask("/key", [scope])[1] for scope in ("read", "pay")}
    before = shop.payments
    asked = [{"x-api-key": key} for key in (keys["read"], keys["pay"])]
    asked.append({"x-api-key": keys["read"], "authorization": "Bearer ann-secret"})
    assert [shop.ask("/scoped", **each)[0] for each in (*asked, {})] == [403, 200, 403, 401]
    assert shop.payments == before + 1


def test_bad_credentials_beside_good_ones_are_refused(shop):
    key = shop.ask("/key", ["pay"])[1]
    for token, status in (("ann-secret", 200), ("bad", 401), ("ben-secret", 401)):
        assert shop.get("/me", **{"x-api-key": key, "authorization": f"Bearer {token}"})[0] == status


def test_owners_that_are_numbers_and_text_are_two(shop):
    run = shop.ask("/run", 1)[1]
    for owner, found in ((1, "True"), ("1", "nothing"), (None, "nothing"), (1, "True")):
        assert shop.ask("/find-run", [run, owner])[1] == found


@pytest.mark.parametrize(
    "key", ["kept\0requests", "kept\0requests\0", "runs\0runs\0live", "admin\0root", "ann", "sessions\0admin\0root"]
)
def test_a_user_who_logs_out_everywhere_ends_nothing_of_others(shop, key):
    root, run = shop.cookie("/admin/login", "root"), shop.ask("/run", "ben")[1]
    shop.ask("/fail")
    eventually(lambda: shop.get("/kept") == (200, "1") or None, "the request is not kept")
    session = shop.cookie("/login", key)
    assert shop.ask("/logout", **session)[0] == 200
    for _ in range(2):
        assert shop.get("/me", **session)[0] == 401
        assert shop.get("/admin/me", **root) == (200, "root")
        assert shop.ask("/find-run", [run, "ben"])[1] == "True"
        assert shop.get("/kept") == (200, "1")


def test_a_channel_that_a_client_names_is_no_log_of_a_run(shop):
    run = shop.ask("/run", "ann")[1]
    told = shop.ask("/read-run", [run, "ann"])
    for name in (f"run\0runs\0{run}", f"runs\0runs\0{run}", f"run\1\2runs\1\2{run}", f"run runs {run}", run):
        assert shop.ask("/send", [name, "forged"])[0] == 200
    assert [shop.ask("/read-run", [run, "ann"]) for _ in range(2)] == [told] * 2


def test_nobody_blocks_a_key_for_its_rightful_caller(shop):
    before, key = shop.payments, shop.new_key()
    stranger = shop.ask("/pay", authorization="Bearer ben-secret", **key)
    ann = [shop.ask("/pay", authorization="Bearer ann-secret", **key) for _ in range(2)]
    assert (stranger[0], ann[0][0], ann[0] == ann[1] != stranger) == (200, 200, True)
    assert shop.payments == before + 2


def test_the_document_describes_the_key_and_the_scopes(shop):
    document = json.loads(shop.get("/openapi.json")[1])
    schemes, wanted = document["components"]["securitySchemes"], document["paths"]["/scoped"]["post"]["security"]
    [(name, scopes)] = [
        (name, scopes) for each in wanted for name, scopes in each.items() if schemes[name].get("in") == "header"
    ]
    assert schemes[name] == {"type": "apiKey", "in": "header", "name": "X-API-Key"}
    assert scopes == ["pay"]
