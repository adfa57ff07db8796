"""A corpus, and how libraries stand on it."""

import json
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from tests.corpora.sources import Source

REFUSED = "refused"
"""The reading of text that is an error."""


class Case(NamedTuple):
    """One example of a corpus: its name, the arguments for a reader, and the readings that are right."""

    name: str
    given: tuple[Any, ...]
    right: tuple[Any, ...]


class Corpus(NamedTuple):
    """Cases, and each library's function for them, by the library's name."""

    name: str
    source: Source
    cases: Callable[[], Iterable[Case]]
    readers: dict[str, Callable[..., Any]]


class Difference(NamedTuple):
    """A case that a library reads otherwise."""

    case: str
    right: str
    found: str


def name_of(text: str) -> str:
    """Return text in ASCII, as a name that can be printed."""
    return text.encode("unicode_escape").decode()


def differences(corpus: Corpus, library: str = "Antiphon") -> list[Difference]:
    """Return the cases that a library reads otherwise. A crash is a reading, too."""
    read = corpus.readers[library]
    found = [(case, _reading(read, case)) for case in corpus.cases()]
    return [Difference(case.name, _shown(case.right[0]), _shown(got)) for case, got in found if got not in case.right]


def _reading(read: Callable[..., Any], case: Case) -> Any:
    try:
        return read(*case.given)
    except ImportError:
        raise
    except Exception as error:
        return f"{type(error).__name__}: {error}"


def _shown(reading: Any) -> str:
    if isinstance(reading, tuple):  # a media type
        essence, parameters = reading
        reading = "; ".join([essence, *(f"{name}={json.dumps(value)}" for name, value in parameters.items())])
    return name_of(reading if isinstance(reading, str) else repr(reading))
