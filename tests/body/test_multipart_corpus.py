import gzip
import json
from pathlib import Path
from urllib.parse import parse_qsl

import pytest

from antiphon.body.multipart import parse_boundary
from tests.body.forms_in_parts import evenly, read
from tests.body.oracles import ORACLES
from tests.body.recording.forms import told
from tests.helpers.rows import rows

pytestmark = pytest.mark.once

CORPUS = Path(__file__).with_name("corpus")
LARGEST = 200_000
RECORDED = {path.name.partition(".")[0]: path for path in sorted(CORPUS.glob("*.http*"))}
MULTIPART = {name: path for name, path in RECORDED.items() if "urlencoded" not in name}


def request_of(path):
    sent = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    head, _, body = sent.partition(b"\r\n\r\n")
    fields = dict(line.split(": ", 1) for line in head.decode().lower().split("\r\n")[1:])
    [content_type] = [line for line in head.decode().split("\r\n") if line.lower().startswith("content-type: ")]
    assert len(body) == int(fields["content-length"])
    return content_type[len("content-type: ") :], body


def as_sent(name):
    """Clients write line breaks in names so, and the parser leaves them."""
    return None if name is None else name.replace("\r\n", "%0D%0A")


def test_there_are_requests_of_each_client():
    assert {name.partition("-")[0] for name in RECORDED} == {"chromium", "curl", "requests", "httpx", "aiohttp"}
    assert {name.partition("-")[0] for name in RECORDED} == {*json.loads((CORPUS / "versions.json").read_text())}
    assert sum(path.stat().st_size for path in CORPUS.iterdir()) < LARGEST


@rows("path", MULTIPART.values(), ids=MULTIPART)
class TestWhatClientsSend:
    def test_is_what_they_were_told_to_send(self, path):
        content_type, body = request_of(path)
        recorded = path.name.partition(".")[0]
        charset = "iso-8859-1" if recorded.endswith("latin-1") else "utf-8"
        found = read([body], parse_boundary(content_type))
        for part, sent in zip(found, told(recorded), strict=True):
            name, filename, content = part.item
            assert name.decode(charset) == as_sent(sent.name)
            assert (None if filename is None else filename.decode(charset)) == as_sent(sent.filename)
            assert content == (sent.content if sent.filename is not None else sent.value.encode(charset))
            # aiohttp names a type for fields too.
            assert part.head.content_type in (sent.content_type, "text/plain; charset=utf-8")
            assert body[part.head.offset : part.end] == content

    def test_is_read_alike_in_chunks(self, path):
        content_type, body = request_of(path)
        boundary = parse_boundary(content_type)
        whole = read([body], boundary)
        for size in (1, 7, 61, 64, 1000):
            assert read(evenly(body, size), boundary) == whole

    def test_has_the_contents_that_others_find(self, path):
        content_type, body = request_of(path)
        boundary = parse_boundary(content_type)
        contents = [part.content for part in read([body], boundary)]
        for oracle in ORACLES.values():
            try:
                items = oracle([body], boundary)
            except ValueError:
                # Names that are not in UTF-8 are not for everybody.
                assert "latin-1" in path.name
            else:
                assert [content for *_, content in items] == contents


def test_an_urlencoded_form_has_the_same_fields():
    path = CORPUS / "chromium-urlencoded.http"
    content_type, body = request_of(path)
    assert content_type == "application/x-www-form-urlencoded"
    fields = [(sent.name, sent.value) for sent in told("chromium-urlencoded")]
    assert parse_qsl(body.decode(), keep_blank_values=True) == fields
