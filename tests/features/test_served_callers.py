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

pytestmark = [pytest.mark.once, pytest.mark.processes]

RUN = "-m", "antiphon", "run", "{app}", "--port", "{port}", "--interface", "asgi"


class Shop:
    """Two servers, which are asked in turn."""

    def __init__(self, servers, payments):
        self._servers = itertools.cycle(servers)
        self._payments = payments
        self._numbers = itertools.count(1)

    def ask(self, path, json_body=None, **fields):
        """Return the status and the text of a response."""
        body = b"{}" if json_body is None else json.dumps(json_body).encode()
        lines = {"content-type": "application/json"} | {name.replace("_", "-"): value for name, value in fields.items()}
        sent = SentRequest("POST", path, tuple(lines.items()), body)
        self.response = next(self._servers).respond(sent)
        return self.response.status, self.response.body.decode()

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


def test_owners_that_are_numbers_and_text_are_two(shop):
    run = shop.ask("/run", 1)[1]
    for owner, found in ((1, "True"), ("1", "nothing"), (None, "nothing"), (1, "True")):
        assert shop.ask("/find-run", [run, owner])[1] == found


def test_a_channel_that_a_client_names_is_no_log_of_a_run(shop):
    run = shop.ask("/run", "ann")[1]
    told = shop.ask("/read-run", [run, "ann"])
    for name in (f"run\0runs\0{run}", f"runs\0runs\0{run}", f"run\1\2runs\1\2{run}", f"run runs {run}", run):
        assert shop.ask("/send", [name, "forged"])[0] == 200
    assert [shop.ask("/read-run", [run, "ann"]) for _ in range(2)] == [told] * 2
