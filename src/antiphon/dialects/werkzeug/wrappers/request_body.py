"""The body of a request: as a stream, as bytes, or as a form."""

from io import BytesIO
from typing import IO, TYPE_CHECKING, Any, ClassVar, Literal, overload

from antiphon.dialects._environ.errors import forget_frames
from antiphon.dialects._environ.streams import read_body
from antiphon.dialects.werkzeug.datastructures.multidict import iter_multi_items
from antiphon.dialects.werkzeug.exceptions.http_exception import HTTPException
from antiphon.dialects.werkzeug.formparser import FormDataParser, default_stream_factory
from antiphon.dialects.werkzeug.utils.accessors import environ_property
from antiphon.dialects.werkzeug.wsgi.limited_stream import LimitedStream, get_input_stream
from antiphon.embedding import lazy


class RequestBody:
    """The body of a request, read on first use and within limits.

    If it is a form, asking for it reads the stream, and ``data`` is empty.
    """

    max_content_length: int | None = None
    """The most bytes of a body. A longer one raises RequestEntityTooLarge."""
    max_form_memory_size: int | None = 500_000
    """The most bytes of all fields of a form in parts, files not counted. More raise RequestEntityTooLarge."""
    max_form_parts: int | None = 1000
    """The most fields and files of a form. More raise RequestEntityTooLarge."""
    form_data_parser_class: type[FormDataParser] = FormDataParser
    """The class of the form parser."""
    parameter_storage_class: type[Any]
    mimetype_params: Any
    environ: dict[str, Any]
    shallow: bool
    if TYPE_CHECKING:
        content_length: lazy[int | None]

        @property
        def mimetype(self) -> str: ...

    _cached_data: bytes | None = None
    _refusal: HTTPException | None = None
    """The reason for which the body was refused, or broke off: a second reader must not get the rest of it."""
    _has_own_stream: ClassVar[bool] = False

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls._has_own_stream = cls.stream is not RequestBody.stream

    input_stream = environ_property[IO[bytes]]("wsgi.input", doc="The server's own stream, which may have no end.")

    @lazy
    def stream(self) -> IO[bytes]:
        """The body as a stream, which ends where the body ends. Raises RuntimeError on a ``shallow`` request."""
        if self.shallow:
            raise RuntimeError("this request is shallow: its body must not be read")
        return get_input_stream(self.environ, max_content_length=self.max_content_length)

    @lazy
    def data(self) -> bytes:
        """The body in bytes, but empty if it is a form."""
        return self.get_data(parse_form_data=True)

    @overload
    def get_data(self, cache: bool = True, as_text: Literal[False] = False, parse_form_data: bool = False) -> bytes: ...
    @overload
    def get_data(self, cache: bool = True, *, as_text: Literal[True], parse_form_data: bool = False) -> str: ...
    @overload
    def get_data(self, cache: bool, as_text: Literal[True], parse_form_data: bool = False) -> str: ...
    def get_data(self, cache: bool = True, as_text: bool = False, parse_form_data: bool = False) -> bytes | str:
        """Return the body, as bytes or as text in UTF-8. ``cache`` keeps it.

        With ``parse_form_data`` a form is parsed first, which leaves nothing of the body.
        """
        data = self._cached_data
        if data is None:
            if parse_form_data:
                self._load_form_data()
            data = self._read()
            if cache:
                self._cached_data = data
        return data.decode(errors="replace") if as_text else data

    def _read(self) -> bytes:
        """Read the rest of the stream; the whole body if the stream was not used."""
        if self._refusal is not None:
            raise self._refusal
        try:
            if self._has_own_stream or self.shallow or "stream" in self.__dict__:
                return self.stream.read()
            data = read_body(self.environ, LimitedStream, self.max_content_length)
        except HTTPException as error:
            self.__dict__["_refusal"] = error
            raise
        self.__dict__["stream"] = BytesIO()
        return data

    # As a form

    @property
    def want_form_data_parsed(self) -> bool:
        """True if the body may be a form: if it has a content type. May be overridden."""
        return bool(self.environ.get("CONTENT_TYPE"))

    def make_form_data_parser(self) -> FormDataParser:
        """Return a form parser of ``form_data_parser_class``, with the limits and the storage of this class."""
        has_own_streams = type(self)._get_file_stream is not RequestBody._get_file_stream  # noqa: SLF001 - its own
        return self.form_data_parser_class(
            stream_factory=self._get_file_stream if has_own_streams else default_stream_factory,
            max_form_memory_size=self.max_form_memory_size,
            max_content_length=self.max_content_length,
            max_form_parts=self.max_form_parts,
            cls=self.parameter_storage_class,
        )

    def _get_file_stream(
        self,
        total_content_length: int | None,
        content_type: str | None,
        filename: str | None = None,
        content_length: int | None = None,
    ) -> IO[bytes]:
        """Return a file object for an uploaded file. If this is overridden, files are copied there."""
        return default_stream_factory(total_content_length, content_type, filename, content_length)

    def _load_form_data(self) -> None:
        """Parse the form once, which sets ``stream``, ``form`` and ``files``."""
        kept = self.__dict__
        if "form" in kept:
            return
        if not self.want_form_data_parsed:
            kept["form"], kept["files"] = self.parameter_storage_class(), self.parameter_storage_class()
            kept["stream"] = self.stream
            return
        if self._refusal is not None:
            raise self._refusal
        try:
            source = self._get_stream_for_parsing()
            parser = self.make_form_data_parser()
            parsed = parser.parse(source, self.mimetype, self.content_length, self.mimetype_params)
        except HTTPException as error:
            kept["_refusal"] = error
            raise
        kept["stream"], kept["form"], kept["files"] = parsed

    def _get_stream_for_parsing(self) -> IO[bytes]:
        if self._cached_data is None and self.mimetype == "application/x-www-form-urlencoded":
            return BytesIO(self._read())
        return self.stream if self._cached_data is None else BytesIO(self._cached_data)

    @lazy
    def form(self) -> Any:
        """The fields of the form, as ``parameter_storage_class``; empty if the body is not a form."""
        self._load_form_data()
        return self.__dict__["form"]

    @lazy
    def files(self) -> Any:
        """The files of the form, each a FileStorage; empty if the form is not in parts."""
        self._load_form_data()
        return self.__dict__["files"]

    def close(self) -> None:
        """Close the files of the form, and release the objects that the error of a refused body keeps, such as this
        request.
        """
        if self._refusal is not None:
            forget_frames(self._refusal)
        if files := self.__dict__.get("files"):
            for _, file in iter_multi_items(files):
                file.close()
