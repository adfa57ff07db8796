"""Forms: a typed class as inputs in a page, and what was sent as a value of it, or with what is wrong."""

import re
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from inspect import isawaitable
from typing import Any, Generic, Literal, TypeVar, cast

from antiphon.features.forms.bound_field import TICKED, BoundField
from antiphon.features.forms.checks import wrong_files, wrong_texts
from antiphon.features.forms.field import Choices
from antiphon.features.forms.html import AttributeValue, Html, attributes, joined, tag
from antiphon.features.forms.inputs import Input, inputs_of
from antiphon.features.forms.messages import MESSAGES, FormError, message_for
from antiphon.http.errors import ContentTooLarge, FieldError, UnprocessableContent
from antiphon.http.multidict import MultiDict
from antiphon.request.body import FORM, wrong_type
from antiphon.request.request import Request
from antiphon.serialization.readers import fields_as, texts_of
from antiphon.uploads.upload import Upload

T = TypeVar("T")

_IN_PARTS = "multipart/form-data"
_SAFE = ("GET", "HEAD", "OPTIONS")
_IN_BYTES = ("body", "file", "form", "memory")
"""Limits whose maximum is a number of bytes."""


class Fields:
    """The fields of a form, in order, by name: ``form.fields["mail"]``, ``form.fields.mail``."""

    __slots__ = ("_by_key",)

    def __init__(self, fields: Iterable[BoundField]) -> None:
        self._by_key = {field.key: field for field in fields}

    def __getitem__(self, key: str) -> BoundField:
        return self._by_key[key]

    def __getattr__(self, key: str) -> BoundField:
        try:
            return self._by_key[key]
        except KeyError:
            raise AttributeError(f"the form has no field {key!r}; it has {', '.join(self._by_key)}") from None

    def __iter__(self) -> Iterator[BoundField]:
        return iter(self._by_key.values())

    def __len__(self) -> int:
        return len(self._by_key)


class Form(Generic[T]):
    """A form, made of a dataclass, Struct or other record: its fields as inputs, and what a request sent as its value.

    ``initial`` is an object or a mapping that has the values to begin with. With ``method="get"`` the form is read from
    the query, else from the body. ``choices`` are those of fields by name, for values that a request or a database
    knows; ``order`` names the fields that come first. ``id`` begins the ids of all elements. ``messages`` replace texts
    by code (``MESSAGES``). ``shared`` names values that the application shares, such as a token, to stand in each form
    that is posted, where they are shared. Raises TypeError for a class of which no form can be made.
    """

    def __init__(
        self,
        wanted: type[T],
        request: Request,
        *,
        initial: object = None,
        method: Literal["post", "get"] = "post",
        action: str | None = None,
        id: str | None = None,  # noqa: A002 - HTML's own name
        choices: Mapping[str, Choices] | None = None,
        order: Sequence[str] = (),
        submit: str = "Send",
        messages: Mapping[str, str] | None = None,
        shared: Sequence[str] = ("csrf_input",),
    ) -> None:
        self._wanted = wanted
        self._request = request
        self._initial = initial
        self._shared = shared
        self._messages = messages or {}
        self._inputs = _ordered(inputs_of(cast(Any, wanted)), choices or {}, order)
        self._errors: dict[str, list[FormError]] = {}
        self._sent: tuple[MultiDict[str], MultiDict[Upload]] | None = None
        self._value: tuple[T] | None = None
        self.method = method
        self.action = action
        self.id = id or _id_of(wanted)
        self.submit = submit
        self.is_too_large = False
        """True if the body was refused for its size, so that nothing of it is known."""
        self.is_bound = self._is_sent()
        """True if the request sent this form."""
        self.fields = Fields(BoundField(self, planned) for planned in self._inputs)  # type: ignore[arg-type]
        """The fields, in order."""

    def _is_sent(self) -> bool:
        if self.method == "get":
            return any(planned.name in self._request.args for planned in self._inputs)
        return self._request.method not in _SAFE

    # Checking

    def validate(self, *checks: Callable[[T, "Form[T]"], object]) -> bool:
        """Read what was sent. True if the form was sent and all of it is right: ``data`` is its value then.

        Each of the ``checks`` is called with the value and this form if the fields are right, and may ``add_error``.
        Raises UnsupportedMediaType (415) for a body that is not a form, and BadRequest (400) for a malformed one.
        """
        self._errors, self._value = {}, None
        if not self.is_bound:
            return False
        self._read()
        if self.is_valid:
            for check in checks:
                check(self.data, self)
        return self.is_valid

    async def avalidate(
        self, *checks: "Callable[[T, Form[T]], object] | Callable[[T, Form[T]], Awaitable[object]]"
    ) -> bool:
        """Do what ``validate`` does, on an event loop: load the body first, and await the checks that are async."""
        if self.is_bound and self.method != "get":
            with suppress(ContentTooLarge):  # reading raises it again
                await self._request.load()
        if self.validate():
            for check in checks:
                found = check(self.data, self)
                if isawaitable(found):
                    await found
        return self.is_valid

    @property
    def data(self) -> T:
        """The value. Raises RuntimeError unless ``validate`` found all fields right."""
        if self._value is None:
            raise RuntimeError(f"the form {self._wanted.__name__} has no data unless validate() has returned True")
        return self._value[0]

    @property
    def is_valid(self) -> bool:
        """True if the form was validated, and has no errors."""
        return self._value is not None and not self._errors

    @property
    def errors(self) -> Mapping[str, list[FormError]]:
        """The errors by the field that they belong to; those of the form as a whole are under the empty name."""
        return self._errors

    @property
    def status(self) -> int:
        """The status to answer with: 413 if the body was too large, 422 if something is wrong, else 200."""
        return 413 if self.is_too_large else 422 if self._errors else 200

    def add_error(self, field: str | None, message: str, code: str = "invalid") -> None:
        """Add an error of your own to a field, or to the form as a whole if that is None.

        Raises ValueError for a field that the form does not have.
        """
        if field and field not in {planned.key for planned in self._inputs}:
            known = ", ".join(planned.key for planned in self._inputs)
            raise ValueError(f"the form {self._wanted.__name__} has no field {field!r}; it has {known}")
        self._errors.setdefault(field or "", []).append(FormError(message, code))

    def error(self) -> UnprocessableContent:
        """Return the errors as a 422 for clients that want problem details: ``raise form.error()``."""
        names = {planned.key: planned.name for planned in self._inputs}
        errors: list[Any] = [
            {"pointer": f"/{names[key]}" if key else "", "detail": each.message, "code": each.code, **each.bounds}
            for key, found in self._errors.items()
            for each in found
        ]
        return UnprocessableContent("Please check what you entered.", errors=errors)

    def reset(self) -> None:
        """Forget what was sent, so that the form is empty again."""
        self._errors, self._value, self.is_bound, self.is_too_large = {}, None, False, False

    def _read(self) -> None:
        texts, files = self._received()
        if self.is_too_large:
            return
        for planned in self._inputs:
            self._check(planned, texts, files)
        try:
            pairs, own_files = _as_read(self._inputs, texts), _own(self._inputs, files)
            value = fields_as(pairs, self._wanted, "form", files=own_files, file_type=Upload)
        except UnprocessableContent as error:
            for fault in error.errors:
                self._add_fault(fault)
        else:
            self._value = (value,)

    def _received(self) -> tuple[MultiDict[str], MultiDict[Upload]]:
        """Return the texts and the files that were sent; none of a body that was too large."""
        if self._sent is None:
            try:
                self._sent = self._texts_and_files()
            except ContentTooLarge as error:
                self._sent = MultiDict(), MultiDict()
                self.is_too_large = True
                is_size = error.members.get("limit") in _IN_BYTES
                bounds = {"max": error.members.get("maximum")} if is_size else {}
                self._add("", "body_too_large", bounds, () if is_size else ("many",))
        return self._sent

    def _texts_and_files(self) -> tuple[MultiDict[str], MultiDict[Upload]]:
        request = self._request
        if self.method == "get":
            return request.args, MultiDict()
        if request.mimetype not in (FORM, _IN_PARTS) and (request.mimetype or not request.content.is_empty):
            raise wrong_type("a form", request.head.field("content-type"))
        return _with_line_ends(self._inputs, request.form), request.files

    def _check(self, planned: Input, texts: MultiDict[str], files: MultiDict[Upload]) -> None:
        sent = texts.getall(planned.name)
        if planned.is_required and not _is_filled(planned, sent, files.getall(planned.name)):
            self._add(planned.key, "missing", {}, (planned.widget,))
            return
        found = wrong_files(planned, files.getall(planned.name)) if planned.is_file else wrong_texts(planned, sent)
        for code, bounds in found:
            self._add(planned.key, code, bounds, (planned.widget,))

    def _add_fault(self, fault: FieldError) -> None:
        """Add a fault that the reader found, unless the field has an error already: that says as much."""
        step = fault["pointer"].split("/")[1].replace("~1", "/").replace("~0", "~") if fault["pointer"] else ""
        planned = next((each for each in self._inputs if each.name == step), None)
        key = planned.key if planned else ""
        if key not in self._errors or not key:
            bounds = {name: bound for name, bound in fault.items() if name not in ("pointer", "detail", "code")}
            kinds = (planned.widget,) if planned else ()
            self._add(key, fault.get("code", "invalid"), bounds, (*kinds, *bounds), fault["detail"])

    def _add(self, key: str, code: str, bounds: Mapping[str, Any], kinds: Iterable[str], otherwise: str = "") -> None:
        planned = next((each for each in self._inputs if each.key == key), None)
        known = {**_bounds_of(planned), **bounds}
        sources = (planned.field.messages if planned else {}, self._messages, MESSAGES)
        message = message_for(code, otherwise, known, kinds, sources)
        self._errors.setdefault(key, []).append(FormError(message, code, bounds))

    # Showing

    def texts(self, planned: Input) -> Sequence[str]:
        """Return the texts of an input: those that were sent, else those of the initial value."""
        if self.is_bound:
            return self._received()[0].getall(planned.name)
        return texts_of(self._initial_value(planned))

    def _initial_value(self, planned: Input) -> object:
        initial = self._initial
        if initial is None:
            return planned.default()
        if isinstance(initial, Mapping):
            return initial[planned.key] if planned.key in initial else planned.default()
        return getattr(initial, planned.key, None)

    def __getitem__(self, key: str) -> BoundField:
        return self.fields[key]

    def __iter__(self) -> Iterator[BoundField]:
        return iter(self.fields)

    @property
    def attributes(self) -> Html:
        """The attributes of the element: ``<form {{ form.attributes }}>``."""
        return attributes(self._attributes())

    def _attributes(self) -> dict[str, AttributeValue]:
        has_files = any(planned.is_file for planned in self._inputs)
        enctype = _IN_PARTS if has_files and self.method == "post" else None
        return {"id": self.id, "method": self.method, "action": self.action, "enctype": enctype}

    @property
    def summary(self) -> Html:
        """The errors, each with a link to its field, to stand first in the form; empty if there are none."""
        if not self._errors:
            return Html()
        items = [tag("li", {}, *self._line(field)) for field in [None, *self.fields] if self._line(field)]
        title = tag("p", {}, self._messages.get("summary", MESSAGES["summary"]))
        own: dict[str, AttributeValue] = {"class": "errors", "role": "alert", "tabindex": "-1", "autofocus": True}
        return tag("div", own, "\n", title, "\n", tag("ul", {}, "\n", joined(items, "\n"), "\n"), "\n")

    def _line(self, field: BoundField | None) -> list[object]:
        messages = " ".join(each.message for each in self._errors.get(field.key if field else "", ()))
        if not messages or field is None:
            return [messages] if messages else []
        if field.widget == "hidden":
            return [f"{field.text}: {messages}"]
        return [tag("a", {"href": f"#{field.focus_id}"}, f"{field.text}: {messages}")]

    @property
    def hidden(self) -> Html:
        """The hidden inputs: those of the form, and what the application shares for forms, such as a token."""
        own = [field.input for field in self.fields if field.widget == "hidden"]
        return joined([*own, *self._shared_parts()], "\n")

    def _shared_parts(self) -> Iterator[object]:
        if self.method == "get" or self._request.app is None:
            return
        shared = self._request.shared
        for name in self._shared:
            if name in shared:
                part = shared(name)
                yield part() if callable(part) else part

    def render(self, *, submit: str | None = None, **more: AttributeValue) -> Html:
        """Return the whole form, with a button. ``more`` are attributes of the form: ``data_block="main"``."""
        visible = [field for field in self.fields if field.widget != "hidden"]
        button = tag("button", {"type": "submit"}, self.submit if submit is None else submit)
        parts = [self.summary, self.hidden, *visible, button]
        named = {name.rstrip("_").replace("_", "-"): value for name, value in more.items()}
        written = [each for part in parts if (each := joined([part]))]
        return tag("form", {**self._attributes(), **named}, "\n", joined(written, "\n"), "\n")

    def __html__(self) -> str:
        return self.render()

    __str__ = __html__


def _ordered(inputs: tuple[Input, ...], choices: Mapping[str, Choices], order: Sequence[str]) -> tuple[Input, ...]:
    """Return the inputs with the choices of one form, those first that are named."""
    by_key = {planned.key: planned for planned in inputs}
    if unknown := [name for name in (*choices, *order) if name not in by_key]:
        raise ValueError(f"the form has no field {unknown[0]!r}; it has {', '.join(by_key)}")
    for key, given in choices.items():
        by_key[key] = by_key[key].choosing(given)
    for key, planned in by_key.items():
        if planned.widget in ("select", "radio") and planned.choices is None:
            raise TypeError(f"{key} is chosen, and has no choices: Form(..., choices={{{key!r}: [...]}})")
    return tuple(by_key[key] for key in dict.fromkeys([*order, *by_key]))


def _id_of(wanted: object) -> str:
    name = getattr(wanted, "__name__", "form")
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", name).lower()


def _with_line_ends(inputs: tuple[Input, ...], texts: MultiDict[str]) -> MultiDict[str]:
    r"""Return texts, with the line ends of textareas as they were typed: ``\n``. Browsers send CRLF."""
    areas = {planned.name for planned in inputs if planned.widget == "textarea"}
    if not areas:
        return texts
    return MultiDict((name, text.replace("\r\n", "\n") if name in areas else text) for name, text in texts.items())


def _is_filled(planned: Input, texts: Sequence[str], files: Sequence[Upload]) -> bool:
    if planned.is_switch:
        return any(text.lower() in TICKED for text in texts)
    return any(files) if planned.is_file else any(texts)


def _as_read(inputs: tuple[Input, ...], texts: MultiDict[str]) -> MultiDict[str]:
    """Return the texts as they are read.

    Those are left out that are empty and mean nothing, or are not of this form, such as a token; boxes are false that
    were left unticked.
    """
    by_name = {planned.name: planned for planned in inputs}
    pairs = [
        (name, text) for name, text in texts.items() if name in by_name and (text or not _means_nothing(by_name[name]))
    ]
    unticked = [(each.name, "false") for each in inputs if each.is_switch and each.name not in texts]
    return MultiDict([*pairs, *unticked])


def _own(inputs: tuple[Input, ...], files: MultiDict[Upload]) -> MultiDict[Upload]:
    names = {planned.name for planned in inputs}
    return MultiDict((name, file) for name, file in files.items() if name in names)


def _means_nothing(planned: Input) -> bool:
    """True for an input whose empty text is as good as none: one of several, or one whose default is None."""
    if not planned.is_text:
        return False
    return planned.is_many or (planned.has_default and planned.default() is None)


def _bounds_of(planned: Input | None) -> dict[str, Any]:
    if planned is None:
        return {}
    named = {"min": "min", "max": "max", "minlength": "min", "maxlength": "max"}
    known = planned.attributes
    return {said: known[name] for name, said in named.items() if known.get(name) is not None}
