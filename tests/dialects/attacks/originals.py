"""Attacks that a dialect does not hold, nor does its original on the same server: each row is asserted both ways."""

from dataclasses import dataclass

from tests.dialects.attacks.attack import ALL, INTERFACES


@dataclass(frozen=True)
class Shared:
    """Attacks that fail on a dialect and on its original, and why they stay."""

    names: tuple[str, ...]
    """The names of the attacks, or what those of several begin with, with the blank after that."""
    dialects: tuple[str, ...]
    interfaces: tuple[str, ...]
    why: str


SHARED = [
    Shared(
        ("chunks: ", "a coding behind a bare line feed"),
        ALL,
        ("wsgi", "rsgi"),
        "Granian ends a body whose chunks are malformed as if it were whole: over ASGI, our default, it says so",
    ),
    Shared(
        ("untrusted: X-Forwarded-For", "untrusted: X-Forwarded-For twice"),
        ("pyramid", "webob"),
        INTERFACES,
        "`client_addr` is the first address of X-Forwarded-For, as WebOb documents it",
    ),
    Shared(
        ("untrusted: X-Forwarded-For with underscores",),
        ("pyramid", "webob"),
        ("wsgi",),
        "WSGI has one key for both names",
    ),
    Shared(
        ("below the files: a link", "a file's name: a link"),
        ("flask", "kay", "microdot", "pyramid", "webob", "werkzeug"),
        INTERFACES,
        "a link among the files is the site's own word, and is followed",
    ),
    Shared(
        ("a form that is ",),
        ("pyramid", "webob"),
        ("wsgi",),
        "a body that breaks off is an error of the connection there, which a WSGI server answers with a 500",
    ),
]


def reason_of(name, dialect, interface):
    """Why an attack may succeed; None if it may not."""
    for each in SHARED:
        is_named = name in each.names or name.startswith(tuple(start for start in each.names if start[-1] == " "))
        if is_named and dialect in each.dialects and interface in each.interfaces:
            return each.why
    return None
