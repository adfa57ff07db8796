"""Bodies that are compared with their Content-Digest before the handler, without a signature."""

import subprocess
import sys
from base64 import b64encode
from hashlib import sha256, sha512

import pytest

from antiphon import App, Request
from antiphon.testing import Client
from tests.helpers.rows import rows

pytestmark = [pytest.mark.once, pytest.mark.axes("interface", "style", "receive")]

BODY = b'{"lamp": 3}'
LARGE = bytes(3 << 20)


@pytest.fixture(params=["def", "async def"])
def style(request):
    return request.param


@pytest.fixture(params=["load", "lazy"])
def receive(request):
    return request.param


def digest(body, *hashes):
    made = [f"{name}=:{b64encode(kind(body).digest()).decode()}:" for name, kind in hashes or (("sha-256", sha256),)]
    return ", ".join(made)


BOTH = ("sha-256", sha256), ("sha-512", sha512)
SENT = [
    (digest(BODY), BODY, 200),
    (digest(BODY, *BOTH), BODY, 200),
    (digest(BODY, ("sha-512", sha512)), BODY, 200),
    (f"{digest(BODY)}, md5=:AAAA:", BODY, 200),
    (digest(LARGE), LARGE, 200),
    (digest(b""), b"", 200),
    (None, b"", 200),
    (None, BODY, 400),
    ("", BODY, 400),
    ("md5=:AAAA:", BODY, 400),
    ("sha-256", BODY, 400),
    ("sha-256=AAAA", BODY, 400),
    (digest(b"{}"), BODY, 400),
    (digest(b"{}"), b"", 400),
    (digest(BODY), b"", 400),
    (f"{digest(BODY)}, sha-512=:AAAA:", BODY, 400),
    (digest(LARGE), LARGE[1:] + b"1", 400),
    (digest(LARGE), LARGE[1:], 400),
]


@rows("given, body, status", SENT)
def test_a_body_has_its_digest(given, body, status, interface, style, receive):
    app = App()

    def size(request: Request):
        request.load()
        return f"{request.content.size}"

    async def asize(request: Request):
        await request.aload()
        return f"{request.content.size}"

    app.post("/", check_digest=True, receive=receive)(size if style == "def" else asize)
    fields = {} if given is None else {"content-digest": given}
    with Client(app, interface) as client:
        answer = client.post("/", body=body, headers=fields)
    assert answer.status == status, answer.text
    assert answer.headers.get("want-content-digest") == (None if status == 200 else "sha-256=10, sha-512=5")
    if status == 200:
        assert answer.text == str(len(body))


def test_a_stream_has_no_digest_to_check():
    with pytest.raises(ValueError, match="use receive='lazy'"):
        App().post("/", check_digest=True, receive="stream")(lambda request: "")


MEMORY = """
import sys
from hashlib import sha256
from base64 import b64encode
from antiphon import App, Limits, Request
from antiphon.http.head import RequestHead

size, piece = 100 << 20, bytes(64 << 10)
whole = sha256()
for _ in range(size // len(piece)):
    whole.update(piece)
app = App(limits=Limits(body=size))
app.post("/", check_digest=sys.argv[1] == "yes")(lambda request: str(request.content.size))

class Input:
    left = size
    def read(self, most=-1):
        taken = min(self.left, len(piece), most if most >= 0 else size)
        self.left -= taken
        return piece[:taken]

environ = {
    "REQUEST_METHOD": "POST", "PATH_INFO": "/", "SERVER_PROTOCOL": "HTTP/1.1", "HTTP_HOST": "localhost",
    "SERVER_NAME": "localhost", "SERVER_PORT": "80", "wsgi.url_scheme": "http", "CONTENT_LENGTH": str(size),
    "HTTP_CONTENT_DIGEST": f"sha-256=:{b64encode(whole.digest()).decode()}:", "wsgi.input": Input(),
}
answer = b"".join(app(environ, lambda status, fields: None))
assert answer == str(size).encode(), answer
print(next(line for line in open("/proc/self/status") if line.startswith("VmHWM")).split()[1])
"""


@pytest.mark.processes
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells the peak of one program")
def test_a_body_of_100_megabytes_takes_no_more_memory():
    def peak(checks):
        command = [sys.executable, "-c", MEMORY, checks]
        return int(subprocess.run(command, capture_output=True, text=True, check=True).stdout) / 1024

    with_it, without = peak("yes"), peak("no")
    assert with_it < without + 4, (with_it, without)  # MiB; the digest, and chunks of 256 KiB
    assert with_it < 100
