"""The page on passkeys: its app signs a user up and in, in a browser with an authenticator that is not of hardware."""

import re
from pathlib import Path

import pytest

from tests.contract.process import ServerProcess
from tests.helpers.processes import RUN

pytestmark = pytest.mark.processes

PAGE = (Path(__file__).parents[2] / "docs/how-to/passkeys.md").read_text()
(CODE,) = re.findall(r"^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
AUTHENTICATOR = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}
TWICE = """async () => {
  const call = passkeys.call;
  const options = PublicKeyCredential.parseRequestOptionsFromJSON(await call("/sign-in", {}));
  const signed = (await navigator.credentials.get({publicKey: options})).toJSON();
  await call("/sign-in", signed);
  const outcomes = [await call("/sign-in", signed).catch(error => error.message)];
  await call("/sign-in", {});
  return [...outcomes, await call("/sign-in", signed).catch(error => error.message)];
}"""


@pytest.fixture
def site(tmp_path, monkeypatch):
    pytest.importorskip("webauthn")
    code = CODE.replace('"http://localhost:8000"', "__import__('os').environ['ORIGIN']")
    start = "from antiphon.cli.entry import main\nimport os, sys\n"
    start += "os.environ['ORIGIN'] = 'http://localhost:' + sys.argv[-1]\nmain()\n"
    (tmp_path / "shop.py").write_text(code)
    (tmp_path / "start.py").write_text(start)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with ServerProcess((str(tmp_path / "start.py"), *RUN[2:]), "shop:app") as server:
        yield f"http://localhost:{server.port}"


def test_a_user_signs_up_and_in_and_a_response_counts_once(site, browser):
    page = browser.open(site)
    page.add_authenticator(**AUTHENTICATOR)
    page.run("() => { document.querySelector('#name').value = 'Ada <3' }")
    page.click("button")
    page.wait_until("() => location.pathname == '/account'")
    page.wait_until("() => document.body?.innerText.trim() == 'Hello, Ada <3.'")
    page.delete_cookies()
    page.go(f"{site}/account")
    page.wait_until("() => location.search == '?next=%2Faccount' && Boolean(document.querySelector('button + button'))")
    page.click("button + button")
    page.wait_until("() => location.pathname == '/account'")
    page.wait_until("() => document.body?.innerText.trim() == 'Hello, Ada <3.'")
    page.go(site)
    page.wait_until("() => typeof passkeys == 'object'")
    assert page.run(TWICE) == [
        "There is no challenge, or it was used. Begin again.",
        "This passkey is not known here, or its signature is wrong.",
    ]
