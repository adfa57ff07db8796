"""The measured requests and the answers that every application must give to them."""

import json
import re
from collections.abc import Collection, Mapping, Sequence
from random import Random
from typing import NamedTuple
from urllib.parse import urlencode

from .apps.work import MADE, NO_STORE, PAGES, USER, VISITOR, upload

ORDER = {
    "id": "A-2209",
    "currency": "EUR",
    "items": [
        {
            "sku": f"LAMP-{number:03}",
            "name": f"Lamp no. {number}",
            "quantity": number % 3 + 1,
            "price": 990 + 115 * number,
        }
        for number in range(10)
    ],
}

ADDRESS = {
    "name": "Zoë Müller",
    "email": "zoe.mueller@example.com",
    "phone": "+43 1 234 5678",
    "street": "Lange Gasse 17/3",
    "city": "Wien",
    "postcode": "1080",
    "country": "AT",
    "company": "Müller & Töchter",
    "delivery": "next-day",
    "note": "Please ring twice: the bell is quiet. 100 % sure!",
}

BROWSER = {
    "host": "shop.example.com",
    "user-agent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 "
    "Safari/537.36",
    "accept-encoding": "gzip, deflate, br, zstd",
    "accept-language": "de-AT,de;q=0.9,en-US;q=0.8,en;q=0.7",
    "sec-ch-ua": '"Chromium";v="142", "Not_A Brand";v="99"',
    "sec-ch-ua-mobile": "?0",
    "sec-ch-ua-platform": '"Linux"',
    "sec-fetch-site": "same-origin",
    "referer": "https://shop.example.com/",
}

PAGE = BROWSER | {
    "accept": "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8",
    "sec-fetch-dest": "document",
    "sec-fetch-mode": "navigate",
    "upgrade-insecure-requests": "1",
}

FETCH = BROWSER | {
    "accept": "application/json",
    "origin": "https://shop.example.com",
    "sec-fetch-dest": "empty",
    "sec-fetch-mode": "cors",
}


ANY = None
"""An answer that is each framework's own."""


class WrongAnswerError(Exception):
    """An application answered other than the case expects."""


class Case(NamedTuple):
    """One request as it comes from a browser, and its answer; header names are lower case.

    `fields` are header fields that the answer has to have, perhaps among others: each value with all its elements, in
    any order. An answer that was chosen by headers of the request has to name them in Vary (RFC 9110 §12.5.5).
    ANY as a media type or an answer is any. `frameworks` are those that are compared; empty for all.
    """

    name: str
    method: str
    path: str
    headers: Mapping[str, str]
    media_type: str | None
    answer: object
    query: str = ""
    body: bytes = b""
    status: int = 200
    fields: Sequence[tuple[str, str]] = ()
    frameworks: Collection[str] = ()

    def check(self, status: int, headers: Sequence[tuple[str, str]], body: bytes) -> None:
        """Raise WrongAnswerError unless this is the answer: JSON by value, text by its characters."""
        found = dict(headers)
        content_type = found.get("content-type", "")
        if status != self.status or self.media_type not in {ANY, content_type.partition(";")[0]}:
            raise WrongAnswerError(f"{self.name}: {status} {content_type}: {body[:200]!r}")
        if found.get("content-length") != str(len(body)):
            raise WrongAnswerError(f"{self.name}: content-length is {found.get('content-length')}, not {len(body)}")
        if self.answer is not ANY and (given := self.read(body)) != self.answer:
            raise WrongAnswerError(f"{self.name}: {given!r} instead of {self.answer!r}")
        for name, value in self.fields:
            if not any(name == sent and elements(value) <= elements(text) for sent, text in headers):
                raise WrongAnswerError(f"{self.name}: {name} is {found.get(name)!r}, not {value!r}")

    def read(self, body: bytes) -> object:
        return json.loads(body) if self.media_type == "application/json" else body.decode()


def elements(value: str) -> set[str]:
    """What commas and semicolons separate, without regard to case."""
    return {element.strip().lower() for element in re.split("[,;]", value)}


def sending(body: bytes, content_type: str, headers: Mapping[str, str]) -> dict[str, str]:
    """The headers of a request with a body."""
    return {**headers, "content-type": content_type, "content-length": str(len(body))}


JSON_BODY = json.dumps(ORDER, separators=(",", ":")).encode()
FORM_BODY = urlencode(ADDRESS).encode()
BOUNDARY = "----WebKitFormBoundaryq3Z8xkT0dVYh2s1A"
PICTURE = Random(7).randbytes(10 << 10)
"""A small file of random bytes, as those of pictures are: where all are equal, a boundary is found far sooner."""
LARGE = Random(8).randbytes(1 << 20)


def parts(file: bytes) -> bytes:
    """The body of a form with a title and a file."""
    head = (
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="title"\r\n\r\nA lamp\r\n'
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="lamp.jpg"\r\n'
        "Content-Type: image/jpeg\r\n\r\n"
    )
    return head.encode() + file + f"\r\n--{BOUNDARY}--\r\n".encode()


def with_file(name: str, file: bytes) -> Case:
    """The case of a form with a file."""
    body = parts(file)
    return Case(
        name=name,
        method="POST",
        path="/multipart",
        headers=sending(body, f"multipart/form-data; boundary={BOUNDARY}", PAGE | {"origin": FETCH["origin"]}),
        media_type="text/plain",
        answer=upload("A lamp", "lamp.jpg", file),
        body=body,
    )


ORDINARY = (
    Case(name="hello", method="GET", path="/hello", headers=PAGE, media_type="text/plain", answer="Hello, world!"),
    Case(
        name="read",
        method="GET",
        path="/read/lamps",
        query="page=3&size=20&sort=price-asc",
        headers=PAGE | {"cookie": "theme=dark; session=7f3c9a54e1d24b0f; consent=necessary"},
        media_type="text/plain",
        answer="lamps: page 3 of 20 by price-asc in de for 7f3c9a54e1d24b0f",
        fields=(("vary", "accept-language"),),
    ),
    Case(
        name="json",
        method="POST",
        path="/json",
        headers=sending(JSON_BODY, "application/json", FETCH),
        media_type="application/json",
        answer={
            "order": "A-2209",
            "currency": "EUR",
            "total": 28815,
            "lines": [
                {"sku": "LAMP-000", "amount": 990},
                {"sku": "LAMP-001", "amount": 2210},
                {"sku": "LAMP-002", "amount": 3660},
                {"sku": "LAMP-003", "amount": 1335},
                {"sku": "LAMP-004", "amount": 2900},
                {"sku": "LAMP-005", "amount": 4695},
                {"sku": "LAMP-006", "amount": 1680},
                {"sku": "LAMP-007", "amount": 3590},
                {"sku": "LAMP-008", "amount": 5730},
                {"sku": "LAMP-009", "amount": 2025},
            ],
        },
        body=JSON_BODY,
    ),
    Case(
        name="form",
        method="POST",
        path="/form",
        headers=sending(FORM_BODY, "application/x-www-form-urlencoded", PAGE | {"origin": FETCH["origin"]}),
        media_type="text/plain",
        answer="Zoë Müller: 146 characters",
        body=FORM_BODY,
    ),
    with_file("multipart", PICTURE),
)
"""What any web application does."""

HELLO, JSON = ORDINARY[0], ORDINARY[2]
AROUND = (
    JSON._replace(name="json-msgspec", path="/json-msgspec"),
    HELLO._replace(
        name="hooks",
        path="/hooks",
        answer=f"Hello, {USER}!",
        fields=(("x-frame-options", "DENY"),),
        frameworks=("antiphon", "bare", "falcon", "flask"),
    ),
    HELLO._replace(name="middlewares"),
    HELLO._replace(name="tuple", path="/tuple", answer=MADE, status=201, fields=(("cache-control", NO_STORE),)),
    HELLO._replace(name="missing", path="/missing/page", media_type=ANY, answer=ANY, status=404),
)
"""JSON by one codec for all; then little work, with hooks, middleware and answers as each framework has them."""
WITH_FEATURES = (
    HELLO._replace(
        name="session",
        path="/session",
        headers=PAGE | {"cookie": VISITOR},
        answer=f"Hello, {USER}!",
        fields=(("set-cookie", "HttpOnly"),),
        frameworks=("antiphon", "flask"),
    ),
    HELLO._replace(
        name="static",
        path="/static/base.html",
        media_type="text/html",
        answer=(PAGES / "base.html").read_text(),
        frameworks=("antiphon", "falcon", "flask", "starlette"),
    ),
    HELLO._replace(name="recorder", frameworks=("antiphon",)),
    with_file("upload", LARGE),
)
"""What most sites have around their handlers: a signed session that changes, a file, records of failures, an upload."""

CASES = {case.name: case for case in (*ORDINARY, *AROUND, *WITH_FEATURES)}
