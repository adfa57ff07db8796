"""Corpora that HTTP's authors publish: where they are, and how they get here.

They stay outside of this repository: some have no licence that lets them be copied. A folder that has them may be named
in the variable CORPORA; else they are fetched to `var/corpora`.
"""

import json
import os
from pathlib import Path
from typing import NamedTuple
from urllib.request import urlopen

FOLDER = Path(os.environ.get("CORPORA") or Path(__file__).parents[2] / "var/corpora")
ORIGIN = "https://raw.githubusercontent.com"
SECONDS = 20


class Source(NamedTuple):
    """A commit of a public repository, and the files of it that are a corpus."""

    repository: str
    commit: str
    licence: str
    paths: tuple[str, ...]

    @property
    def folder(self) -> Path:
        return FOLDER / self.repository.partition("/")[2]

    def url(self, path: str) -> str:
        return f"{ORIGIN}/{self.repository}/{self.commit}/{path}"


_PARSED = """
binary boolean date dictionary display-string examples item key-generated large-generated list listlist number
number-generated param-dict param-list param-listlist string string-generated token token-generated
"""
_PRINTED = "key-generated number string-generated token-generated"

STRUCTURED_FIELDS = Source(
    "httpwg/structured-field-tests",
    "1e280c3ed9ffe0ca5fdb1d97219dddc389007677",
    "BSD-3-Clause",
    (*(f"{name}.json" for name in _PARSED.split()), *(f"serialisation-tests/{name}.json" for name in _PRINTED.split())),
)
HTTP_STATE = Source(
    "abarth/http-state",
    "155e45c6168e6de2eb727193010fd12e3c789185",
    "an IETF contribution without a licence",
    ("tests/data/parser.json",),
)
WEB_PLATFORM = Source(
    "web-platform-tests/wpt",
    "23d0f251e9ee57117f1e99026042b522c8fd2cca",
    "BSD-3-Clause",
    tuple(
        f"cookies/{name}.html"
        for name in ("attributes/expires", "attributes/invalid", "attributes/max-age", "value/value")
    ),
)
RUST_URL = Source(
    "servo/rust-url",
    "25137be1fc1d35cc8ea7d43fc0a02166b023a483",
    "of web-platform-tests: BSD-3-Clause",
    ("url/tests/urltestdata.json", "data-url/tests/mime-types.json", "data-url/tests/generated-mime-types.json"),
)
SOURCES = (STRUCTURED_FIELDS, HTTP_STATE, WEB_PLATFORM, RUST_URL)

_ENGINE = """
cli client/config client/fetching client/runner client/test client/utils lib/defines lib/header-fixup lib/results
lib/utils server/handle-config server/handle-file server/handle-state server/handle-test server/server server/utils
"""
_CACHE_TESTS = """
age-parse authorization cc-freshness cc-parse cc-request cc-response cdn-cache-control conditional-etag conditional-lm
expires-freshness expires-parse headers heuristic-freshness index interim invalidation lib/header-list lib/templates
lib/utils method other partial pragma stale status update304 updateHead vary vary-parse
"""
CACHES = Source(
    "http-tests/cache-tests",
    "b55b8bda3dbb8c927c04e85bd8d496a8caa3e4ba",
    "BSD-3-Clause",
    (
        "package.json",
        *(f"test-engine/{name}.mjs" for name in _ENGINE.split()),
        *(f"tests/{name}.mjs" for name in _CACHE_TESTS.split()),
    ),
)
"""The tests of shared caches, which are programs of Node.js."""


def is_here(source: Source) -> bool:
    return all((source.folder / path).exists() for path in source.paths)


def fetch(source: Source) -> None:
    """Fetch the files that are missing. Raises OSError or HTTPException where that fails."""
    for path in source.paths:
        file = source.folder / path
        if file.exists():
            continue
        with urlopen(source.url(path), timeout=SECONDS) as answer:
            content = answer.read()
        file.parent.mkdir(parents=True, exist_ok=True)
        arriving = file.with_name(f"{file.name}.part")
        arriving.write_bytes(content)
        arriving.replace(file)


def read_json(source: Source, path: str) -> list:
    return json.loads((source.folder / path).read_text(encoding="utf-8"))
