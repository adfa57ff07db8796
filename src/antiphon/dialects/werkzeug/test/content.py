"""The body of a request that is being built, and the headers that describe it."""

from typing import IO, Any

from antiphon.dialects.werkzeug.datastructures.file_storage import FileMultiDict
from antiphon.dialects.werkzeug.datastructures.headers import Headers
from antiphon.dialects.werkzeug.datastructures.multidict import MultiDict, iter_multi_items
from antiphon.dialects.werkzeug.wrappers.media_type import MediaType


class Content(MediaType):
    """A body: a stream, or the fields and files of a form."""

    charset = "utf-8"

    _form: "MultiDict[str, Any] | None"
    _files: FileMultiDict | None
    _input_stream: IO[bytes] | None = None

    def __init__(self, headers: Any) -> None:
        self.headers = headers if isinstance(headers, Headers) else Headers(_named(headers or ()))
        self._form = None
        self._files = None

    @property
    def content_type(self) -> str | None:
        """The content type; by default that of the form, if there is one."""
        content_type = self.headers.get("Content-Type")
        if content_type is None and not self._input_stream:
            if self._files:
                return "multipart/form-data"
            if self._form:
                return "application/x-www-form-urlencoded"
        return content_type

    @content_type.setter
    def content_type(self, value: str | None) -> None:
        self._set_or_remove("Content-Type", value)

    @property
    def content_length(self) -> int | None:
        """The declared length of the body in bytes."""
        return self.headers.get("Content-Length", type=int)

    @content_length.setter
    def content_length(self, value: int | str | None) -> None:
        self._set_or_remove("Content-Length", None if value is None else str(value))

    def _set_or_remove(self, name: str, value: str | None) -> None:
        if value is None:
            self.headers.remove(name)
        else:
            self.headers[name] = value

    @property
    def input_stream(self) -> IO[bytes] | None:
        """The body as a stream. Setting it removes the form."""
        return self._input_stream

    @input_stream.setter
    def input_stream(self, value: IO[bytes] | None) -> None:
        self._input_stream = value
        self._form = None
        self._files = None

    @property
    def form(self) -> "MultiDict[str, Any]":
        """The fields of the form. Raises AttributeError if a stream is set."""
        self._check_form()
        if self._form is None:
            self._form = MultiDict()
        return self._form

    @form.setter
    def form(self, value: "MultiDict[str, Any]") -> None:
        self._input_stream = None
        self._form = value

    @property
    def files(self) -> FileMultiDict:
        """The files of the form. Raises AttributeError if a stream is set."""
        self._check_form()
        if self._files is None:
            self._files = FileMultiDict()
        return self._files

    @files.setter
    def files(self, value: FileMultiDict) -> None:
        self._input_stream = None
        self._files = value

    def _check_form(self) -> None:
        if self._input_stream is not None:
            raise AttributeError("the body is set as a stream, and is not a form")


def _named(headers: Any) -> list[tuple[str, Any]]:
    """Return the pairs of headers with a name, since others reach no server."""
    return [(name, value) for name, value in iter_multi_items(headers) if name]
