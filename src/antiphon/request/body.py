"""The body of a request, as bytes, text, values, forms and files: read when it is first asked for."""

import re
from collections.abc import Callable, Coroutine
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar

from antiphon.body.content import Content, NotLoadedError, read_small
from antiphon.body.progress import Progress
from antiphon.body.storage import FORM_DATA
from antiphon.body.stream import BodyStream
from antiphon.http.charset import decode_text
from antiphon.http.errors import ContentTooLarge, UnsupportedMediaType, over_limit
from antiphon.http.grammar import TCHARS
from antiphon.http.limits import Limits
from antiphon.http.multidict import MultiDict
from antiphon.http.urlencoded import parse_form
from antiphon.lazy import lazy
from antiphon.request.headers import RequestHeaders
from antiphon.response.fields import JSON

if TYPE_CHECKING:
    from os import PathLike

    from antiphon.body.form_data import FormData
    from antiphon.body.form_parts import FormParts
    from antiphon.uploads.upload import Upload

T = TypeVar("T")

FORM = "application/x-www-form-urlencoded"

DEFAULT_LIMITS = Limits()

_USUAL = frozenset({FORM, FORM_DATA, JSON})
_essence = re.compile(rf"[ \t]*+({TCHARS}/{TCHARS})[ \t]*+(?:;|\Z)").match


class RequestBody(RequestHeaders):
    """A request with its body.

    What reads it can be asked for in any order, and again: it is received once, within ``limits``, and kept, in a file
    if it is large. A body that cannot be read as asked raises an HTTPError (4xx). Where it is not there yet, code that
    may block waits for it; on an event loop ``load`` has to be awaited first, or RuntimeError is raised.
    """

    @property
    def limits(self) -> Limits:
        """How much of this request is accepted."""
        return DEFAULT_LIMITS

    # What is said of it

    @lazy
    def mimetype(self) -> str:
        """The media type of the body without parameters, in lower case; empty when none is given."""
        declared = self.head.field("content-type") or ""
        essence = declared.partition(";")[0]
        if essence in _USUAL:
            return essence
        match = _essence(declared)
        return match[1].lower() if match is not None else ""

    @property
    def charset(self) -> str | None:
        """The charset that the content type declares, in lower case."""
        if "charset" not in (self.head.field("content-type") or "").lower():  # nor is it in most
            return None
        content_type = self.content_type
        return content_type.charset if content_type is not None else None

    @property
    def content_length(self) -> int | None:
        """The length of the body in bytes, where it is declared (RFC 9110 §8.6)."""
        return self.content.readable_length

    # As it comes

    _content: Content | bytes | None
    """The content; only its bytes, while nobody has asked for more than those; None while nobody has at all."""

    @property
    def content(self) -> Content:
        """Where the body comes from, and is kept."""
        content = self._content
        if not isinstance(content, Content):
            content = self._content = Content(self.head, content)
            content.folder = self._upload_folder()
        return content

    def _upload_folder(self) -> "str | PathLike[str] | None":
        """The folder in which a large body is kept; None for where the system has temporary files."""
        return None

    @property
    def is_in_bytes(self) -> bool:
        """True where the whole body is bytes that have been received, and nothing else has been made of them."""
        return type(self._content) is bytes

    def read_small_body(self, most: float) -> bool:
        """Receive a small body that is there already, in one chunk: whether all of it is. Of any other ``load`` tells.

        It has ``most`` bytes at most. It is for where a head that blocks may do so.
        """
        if self._content is not None:
            return False
        content = self._content = read_small(self.head, most)
        return type(content) is bytes

    def load(self) -> Coroutine[Any, Any, None]:
        """Load the body within ``limits``, where it was not loaded before the handler ran.

        Raises ContentTooLarge (413), BadRequest (400) for a bad Content-Length or a body that ends too early,
        UnsupportedMediaType (415) for an unknown Content-Encoding, RequestTimeout (408) for one that comes too slowly,
        InsufficientStorage (507) and ClientDisconnected.
        """
        return self.content.load(self.limits)

    @property
    def stream(self) -> BodyStream:
        """The body in chunks, for ``for`` or ``async for``: as they arrive, or as they were kept."""
        return BodyStream(self.content, self)

    def parts(self) -> "FormParts":
        """The parts of a form (multipart/form-data) one after another, for ``for`` or ``async for``, as they arrive.

        Raises UnsupportedMediaType (415) for another type, BadRequest (400) for one without a boundary.
        """
        if self.mimetype != FORM_DATA:
            raise UnsupportedMediaType(f"the body must be {FORM_DATA}, {self._sent_type()}")
        from antiphon.body.form_parts import FormParts

        return FormParts(self.stream, self.head.field("content-type") or "", self.limits)

    @property
    def progress(self) -> Progress:
        """How far the body has come: ``received`` bytes of ``total``, as they are sent."""
        return Progress.of(self.content)

    # As a whole

    @property
    def body(self) -> bytes:
        """The content, in bytes. Raises ContentTooLarge (413) for more than ``limits.memory`` bytes: ``stream`` has
        them chunk by chunk.
        """
        return self._whole(self.limits)

    def _whole(self, limits: Limits) -> bytes:
        data = self._content
        if type(data) is not bytes:
            content = self.content
            data = content.data
            if data is None:
                if not self.head.has_body:
                    return b""
                self._load_now()
                data = content.data
        if data is None or len(data) > limits.memory or len(data) > limits.body:
            data = _in_memory(self.content, limits)
        return data

    def _load_now(self) -> None:
        """Have the body here, where that may block."""
        try:
            self.content.load_on_thread(self.limits)
        except NotLoadedError:
            raise self.not_loaded() from None

    def not_loaded(self) -> Exception:
        """The error for code on an event loop that reads a body which is not there yet."""
        return self.content.failure or RuntimeError(
            f"this request's body is not loaded yet, and {self._read_by()} is on an event loop, where nothing may wait"
            ' for it: `await request.load()` first, or have its route say body="load"; a middleware that reads the body'
            " says @app.middleware(body=True)"
        )

    def _read_by(self) -> str:
        """What answers this request, for errors that a programmer reads."""
        return "its handler"

    @lazy
    def text(self) -> str:
        """The content as text, by its declared charset, else UTF-8; what cannot be decoded becomes U+FFFD."""
        return decode_text(self.body, self.charset)

    # Forms

    @lazy
    def form(self) -> MultiDict[str]:
        """The fields of a form that are no files, urlencoded or in parts, which have names; empty for another body.

        Raises ContentTooLarge (413) beyond a limit, BadRequest (400) for parts that are malformed.
        """
        fields = self.urlencoded_fields()
        if fields is not None:
            return MultiDict(fields)
        return self._form_data.fields if self.mimetype == FORM_DATA else MultiDict()

    def urlencoded_fields(self) -> list[tuple[str, str]] | None:
        """The names and values of an urlencoded form, in order, read anew; None for another body.

        Raises ContentTooLarge (413) likewise.
        """
        charset = None
        if self.head.field("content-type") != FORM:  # as nearly all of them are declared
            if self.mimetype != FORM:
                return None
            charset = self.charset
        limits = self.limits
        try:
            return parse_form(self._whole(limits), limits.fields, charset)
        except ValueError:
            detail = f"The form has more than {limits.fields} fields."
            raise over_limit(ContentTooLarge, "fields", limits.fields, detail) from None

    @lazy
    def files(self) -> "MultiDict[Upload]":
        """The files of a form in parts (multipart/form-data), by the names of their fields; empty for another body.

        One that is false stands for a field in which no file was chosen. Raises as ``form`` does.
        """
        if self.mimetype != FORM_DATA:
            return MultiDict()
        self.content.has_uploads = True
        return self._form_data.files

    @lazy
    def _form_data(self) -> "FormData":
        content, limits = self.content, self.limits
        if content.data is None:
            self._load_now()
        else:
            content.check_size(limits)
        return content.form(limits, self.charset)

    # Values

    @lazy
    def json(self) -> Any:
        """The content, decoded from JSON.

        Raises UnsupportedMediaType (415) unless the content type says JSON, BadRequest (400) when it is malformed.
        """
        limits = self.limits
        return _json_decoder()(self._json_body(limits), depth=limits.json_depth)

    def _json_body(self, limits: Limits) -> bytes:
        if self.head.field("content-type") != JSON:  # as nearly all of it is declared
            content_type = self.content_type
            if content_type is None or not content_type.is_json:
                raise UnsupportedMediaType(f"the body must be {JSON}, {self._sent_type()}")
        return self._whole(limits)

    def _sent_type(self) -> str:
        sent = self.head.field("content-type")
        return f"not {sent[:80]}" if sent else "but its type is not declared"

    def json_as(self, wanted: type[T]) -> T:
        """The content as a dataclass, TypedDict, Struct or other type. Raises UnprocessableContent (422) naming each
        wrong field by JSON Pointer, and what ``json`` raises."""
        from antiphon.serialization.readers import json_as

        limits = self.limits
        return json_as(self._json_body(limits), wanted, depth=limits.json_depth)

    def form_as(self, wanted: type[T]) -> T:
        """The form as a dataclass, TypedDict or Struct, whose fields may be files (``Upload``).

        Raises UnprocessableContent (422) naming each wrong field, UnsupportedMediaType (415) for a body that is no
        form, and what ``form`` raises.
        """
        if self.mimetype not in (FORM, FORM_DATA) and (self.mimetype or not self.content.is_empty):
            raise UnsupportedMediaType(f"the body must be a form, {self._sent_type()}")
        from antiphon.serialization.readers import fields_as
        from antiphon.uploads.upload import Upload

        return fields_as(self.form, wanted, "form", files=self.files, file_type=Upload)


def _in_memory(content: Content, limits: Limits) -> bytes:
    content.check_size(limits)
    if content.size > limits.memory:
        detail = f"The body has more than the {limits.memory} bytes that are read as a whole."
        raise over_limit(ContentTooLarge, "memory", limits.memory, detail)
    return content.read_all()


@cache
def _json_decoder() -> Callable[..., object]:
    """What decodes JSON, imported when it is first used: an import that is repeated takes as long as a small body."""
    from antiphon.serialization.json import decode_json

    return decode_json
