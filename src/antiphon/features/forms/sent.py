"""The text and files that a request sent for a form: the value read from them, and checks beyond the types."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from datetime import datetime, time
from typing import Any, NamedTuple, TypedDict, TypeVar

from antiphon import Limits, Request, Upload
from antiphon.embedding import TypeDescription
from antiphon.features.forms.inputs import Input
from antiphon.http import MultiDict

T = TypeVar("T")

IN_PARTS = "multipart/form-data"
TICKED = ("on", "true", "1")
TIMES = ("time", "datetime-local")


class Sent(NamedTuple):
    """The text and files submitted with a form, by input name."""

    texts: MultiDict[str]
    files: MultiDict[Upload]

    def is_filled(self, planned: Input) -> bool:
        """Return True if something was entered, chosen or ticked."""
        if planned.is_file:
            return any(self.files.getall(planned.name))
        texts = self.texts.getall(planned.name)
        return any(text.lower() in TICKED for text in texts) if planned.is_switch else any(texts)

    def has(self, planned: Input) -> bool:
        """Return True if the form has a value for an input, which may be that nothing is ticked or chosen."""
        is_seen_if_empty = planned.is_switch or (planned.is_many and planned.choices is not None)
        return is_seen_if_empty or planned.name in self.texts

    def read_as(self, wanted: type[T], inputs: tuple[Input, ...], limits: Limits) -> T:
        """Return the submitted value as an instance of a class. Raises UnprocessableContent that names every invalid
        field.

        Names that do not belong to this form, such as a token's, are ignored, as are empty inputs if a name has several
        inputs. Empty text is None if the type allows None, and unticked checkboxes are false.
        """
        by_name = {planned.name: planned for planned in inputs}
        known = [(by_name[name], text) for name, text in self.texts.items() if name in by_name]
        pairs: list[tuple[str, str | None]] = [
            (planned.name, None if planned.is_none_if_empty and not text else text)
            for planned, text in known
            if text or not planned.is_many
        ]
        pairs += [(each.name, "false") for each in inputs if each.is_switch and each.name not in self.texts]
        files = MultiDict((name, file) for name, file in self.files.items() if name in by_name)
        texts: MultiDict[Any] = MultiDict(pairs)
        value: T = TypeDescription(wanted, Upload).read_form(texts, files, limits)
        return value


NOTHING = Sent(MultiDict(), MultiDict())


class _AnyForm(TypedDict):
    """A form with any fields: to read one checks that the body is a form."""


def sent_by(request: Request, inputs: tuple[Input, ...], *, in_query: bool) -> Sent:
    """Return the data that a request sent. Raises UnsupportedMediaType (415) for a body that is not a form."""
    if in_query:
        return Sent(request.args, MultiDict())
    Request.form_as(request, _AnyForm)  # a contract under test knows the inputs, and not this type
    return Sent(_with_line_ends(inputs, request.form), request.files)


def with_disabled(sent: Sent, inputs: tuple[Input, ...], initial: Callable[[Input], Sequence[str]]) -> Sent:
    """Return the submitted data with the initial values of disabled inputs, which browsers don't send."""
    disabled = {planned.name: planned for planned in inputs if planned.is_disabled}
    if not disabled:
        return sent
    texts = [(name, text) for name, text in sent.texts.items() if name not in disabled]
    texts += [(name, text) for name, planned in disabled.items() for text in initial(planned)]
    files = [(name, file) for name, file in sent.files.items() if name not in disabled]
    return Sent(MultiDict(texts), MultiDict(files))


def with_exact_times(sent: Sent, inputs: tuple[Input, ...], initial: Callable[[Input], Sequence[str]]) -> Sent:
    """Return the submitted data, restoring the microseconds of times that were not changed.

    Time inputs show milliseconds at most and send times in the shortest form.
    """
    exact: dict[tuple[str, str | None], str] = {
        (planned.name, shown): text
        for planned in inputs
        if planned.widget in TIMES
        for text in initial(planned)
        if (shown := _in_milliseconds(text))
    }
    if not exact:
        return sent
    texts = [(name, exact.get((name, _in_milliseconds(text)), text)) for name, text in sent.texts.items()]
    return sent._replace(texts=MultiDict(texts))


def _in_milliseconds(text: str) -> str | None:
    """Return a time, or a date and time, with its milliseconds in a fixed format; None for any other text."""
    for kind in (datetime, time):
        with suppress(ValueError):
            return kind.fromisoformat(text).isoformat(timespec="milliseconds")
    return None


def _with_line_ends(inputs: tuple[Input, ...], texts: MultiDict[str]) -> MultiDict[str]:
    r"""Return strings, with line breaks in textareas as they were typed: ``\n``. Browsers send CRLF."""
    areas = {planned.name for planned in inputs if planned.widget == "textarea"}
    if not areas:
        return texts
    return MultiDict((name, text.replace("\r\n", "\n") if name in areas else text) for name, text in texts.items())


EMAIL = re.compile(
    r"[a-zA-Z0-9.!#$%&'*+/=?^_`{|}~-]+@[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?"
    r"(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?)*"
)
"""The pattern of a valid e-mail address, as browsers accept it (HTML, "E-mail state")."""

_URL = re.compile(r"https?://[^\s/?#][^\s]*", re.IGNORECASE)

_LINES = ("text", "search", "tel", "email", "url", "password")
_NOT_IN_A_LINE = re.compile(r"[\r\n\0]")
"""Characters that browsers remove from a one-line input. Elsewhere, CR and LF begin a new header or log line."""

_FORMS = {"email": (EMAIL, "not_an_email"), "url": (_URL, "not_a_url")}


def wrong_texts(planned: Input, texts: Iterable[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the code and bounds of each fault in an input's text. Empty text is not checked."""
    pattern, code = _FORMS.get(planned.widget, (None, ""))
    for text in filter(None, texts):
        if planned.widget in _LINES and _NOT_IN_A_LINE.search(text):
            yield "not_a_line", {}
            continue
        if pattern is not None and not pattern.fullmatch(text):
            yield code, {}
        if planned.choices is not None and text not in planned.choices:
            yield "not_a_choice", {"choices": [*planned.choices][:20]}


def wrong_files(planned: Input, files: Iterable[Upload]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the code and bounds of each fault in an input's files."""
    most, accept = planned.field.max_size, planned.field.accept
    for file in filter(None, files):
        if most is not None and file.size > most:
            yield "file_too_large", {"max": most}
        if accept is not None and not is_accepted(file, accept):
            yield "wrong_file_type", {"accept": accept}


def is_accepted(file: Upload, accept: str) -> bool:
    """Return True if a file is of a kind that ``accept`` lists, as in the HTML attribute.

    Like browsers, this checks the name and the type that the client claims. Neither proves the file's real type.
    """
    name, claimed = file.filename.lower(), file.mimetype
    for kind in accept.lower().replace(" ", "").split(","):
        if kind[:1] == "." and name.endswith(kind):
            return True
        if "/" in kind and (claimed == kind or (kind[-2:] == "/*" and claimed.startswith(kind[:-1]))):
            return True
    return False
