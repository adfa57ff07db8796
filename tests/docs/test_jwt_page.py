"""The page on JSON Web Tokens: whatever a stranger sends as a token is a 401."""

import re
from base64 import urlsafe_b64encode
from pathlib import Path

import pytest

from antiphon.testing import Client
from tests.helpers.rows import rows

PAGE = (Path(__file__).parents[2] / "docs/how-to/jwt.md").read_text()
CODE = re.findall(r"^```python\n(.*?)^client = ", PAGE, re.MULTILINE | re.DOTALL)[0]
VALUES = ["null", "1", "true", "1.5", "NaN", "[]", "[1]", '["b64"]', "{}", '{"a": 1}', '"x"', '"\\ud800"', "1e999"]
HEADS = [
    *[f'{{"alg": "HS256", "{name}": {value}}}' for name in ("crit", "b64", "kid", "alg", "jwk") for value in VALUES],
    *VALUES, "{", "[" * 3000, "\xff",
]  # fmt: skip


@pytest.fixture(scope="module")
def client():
    pytest.importorskip("joserfc")
    names: dict = {"__name__": "shop"}
    exec(CODE, names)
    return Client(names["app"])


@rows("head", HEADS, ids=lambda head: head[:40])
def test_a_strange_token_is_refused(client, head):
    printed = urlsafe_b64encode(head.encode("latin-1")).rstrip(b"=").decode()
    for rest in (".e30.AAAA", ".W10.", "..", ".e30.AAAA.e30.AAAA", ""):
        assert client.get("/orders", headers={"authorization": f"Bearer {printed}{rest}"}).status == 401
