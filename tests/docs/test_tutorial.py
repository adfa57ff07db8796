"""The tutorial: its curl commands print what the page says, from the application as far as the page has brought it."""

import argparse
import re
import shlex
from pathlib import Path

import pytest

from antiphon.testing import Client

PAGE = (Path(__file__).parents[2] / "docs/tutorial/first-app.md").read_text()
BLOCK = re.compile(r"^```(python|console)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
COMMAND = re.compile(r"^\$ curl (.*)\n((?:(?!\$ ).*\n)*)", re.MULTILINE)

CURL = argparse.ArgumentParser("curl")
CURL.add_argument("url")
CURL.add_argument("--json", dest="body")
CURL.add_argument("--data", dest="form")


def parts():
    """The number of each block with commands, and the source of the application that they are for."""
    source = ""
    for kind, text in BLOCK.findall(PAGE):
        if kind == "python":
            source = text
        elif COMMAND.search(text):
            yield pytest.param(source, text, id=text.splitlines()[0])


def run(client, command):
    """Send what a curl command would send, and return the body of the response."""
    sent = CURL.parse_args(shlex.split(command))
    path = sent.url.removeprefix("http://127.0.0.1:8000")
    content_type = "application/json" if sent.body else "application/x-www-form-urlencoded"
    body = sent.body or sent.form
    if body is None:
        return client.get(path).text
    return client.post(path, body=body.encode(), content_type=content_type).text


@pytest.mark.parametrize(("source", "console"), list(parts()))
def test_curl_prints_what_the_page_says(source, console):
    namespace = {"__name__": "notes"}
    exec(compile(source, "notes.py", "exec"), namespace)
    client = Client(namespace["app"])
    for command, printed in COMMAND.findall(console):
        pattern = re.escape(printed.rstrip()).replace(r"\.\.\.", ".*")
        assert re.fullmatch(pattern, run(client, command).rstrip()), command


def test_each_block_of_python_is_tried():
    sources = [text for kind, text in BLOCK.findall(PAGE) if kind == "python"]
    assert [source for source in sources if source not in {part.values[0] for part in parts()}] == []
