"""Forms: a typed class is shown as inputs, and the submitted form becomes its value or is shown again with errors."""

import re
from collections.abc import Awaitable, Callable, Coroutine, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from copy import copy
from inspect import isawaitable
from typing import TYPE_CHECKING, Any, Generic, Literal, NoReturn, TypeVar, cast

from antiphon import HTTPError, Request, explained
from antiphon.embedding import SAFE_METHODS, RequestState, TypeDescription, describe, http_error, is_async
from antiphon.features.forms.bound_field import BoundField, FormFields
from antiphon.features.forms.field import ABSENT, Choices, member_of, write_members
from antiphon.features.forms.inputs import Input, inputs_of
from antiphon.features.forms.messages import FormError, Messages, message_for, messages_in
from antiphon.features.forms.sent import (
    IN_PARTS,
    NOTHING,
    Sent,
    sent_by,
    with_disabled,
    with_exact_times,
    wrong_files,
    wrong_texts,
)
from antiphon.features.html import AttributeValue, Markup, attributes, joined, tag
from antiphon.http import ContentTooLarge, FieldError, FieldProblem, UnprocessableContent
from antiphon.types import Text

_step = TypeDescription.pointer_step

T = TypeVar("T")

_IN_BYTES = ("body", "file", "form", "memory")
"""Limits whose maximum is a number of bytes."""


OTHER_WORDS = {
    "validate_on_submit": "form.validate(), which is False unless the form was submitted",
    "hidden_tag": "form.hidden, an attribute",
    "populate_obj": "form.apply(order), which writes what was read to the object",
}


class Form(Generic[T]):
    """A form made from a dataclass, Struct or other record: fields become inputs, and submitted values become an
    object.

        form = Form(Order, request)

    ``initial`` is an object or a mapping with the initial values, to which ``apply`` can write the submitted ones. With
    ``method="get"``, the form is read from the query, otherwise from the body. ``choices`` maps field names to choices
    that come from a request or a database; ``order`` names the fields to put first. ``id`` is the prefix of all
    elements' ids; if it is empty, an input's id is its name. ``messages`` replace messages of ``MESSAGES``, by code.
    All other messages come from the request's language, under "form." and the code, or else are in English.
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
        submit: Text | None = None,
        messages: Mapping[str, Text] | None = None,
        shared: Sequence[str] = ("csrf_input",),
    ) -> None:
        """``shared`` names values that the application shares with templates, such as a token; those that exist become
        hidden inputs in forms that are posted.

        Raises TypeError for a class from which no form can be made and for anything but a request. Raises ValueError if
        ``choices`` or ``order`` name a field that the form does not have.
        """
        if not isinstance(request, Request):
            raise explained(
                "bad-form-field",
                f"a form must have a request, not {type(request).__name__}:"
                f" Form({getattr(wanted, '__name__', 'Order')}, request)",
                TypeError,
            )
        self._wanted = wanted
        self._request = request
        self._shared = shared
        self._messages = messages or {}
        self._inputs = _ordered(inputs_of(cast(Any, wanted)), choices or {}, order)
        self._by_key = {planned.key: planned for planned in self._inputs}
        self._initial = _members_of(initial, self._by_key)
        self._errors: dict[str, list[FormError]] = {}
        self._sent: Sent | None = None
        self._value: tuple[T] | None = None
        self._is_read = False
        self.method = method
        self.action = action
        self.id = id_of(wanted) if id is None else id
        self.submit = submit
        self._refusal: ContentTooLarge | None = None
        self.is_bound = self._is_sent()
        """True if the request submitted this form."""

    @property
    def fields(self) -> FormFields:
        """The fields, in order."""
        return FormFields(self, self._by_key)

    @staticmethod
    def check_type(wanted: type) -> None:
        """Check that a form can be made from a class. Raises TypeError. Called when an application starts.

        The class is the one that a handler uses: ``Form(Order, request)``.
        """
        inputs_of(wanted)

    def _is_sent(self) -> bool:
        if self.method == "get":
            return any(planned.name in self._request.args for planned in self._inputs)
        return self._request.method not in SAFE_METHODS

    # Checking

    def validate(self, *checks: Callable[[T, "Form[T]"], object]) -> bool:
        """Read the submitted form and return True if there is one and it is valid; ``data`` is then its value.

        If the fields are valid, each of the ``checks`` is called with the value and this form, and can call
        ``add_error`` or raise a FieldError. Raises UnsupportedMediaType (415) for a body that is not a form, BadRequest
        (400) for a malformed one, and TypeError for a check that is async.
        """
        if wrong := next(filter(is_async, checks), None):
            raise explained(
                "form-waits",
                f"{describe(wrong)} is async: await form.avalidate(...) instead of form.validate",
                TypeError,
            )
        self._errors, self._value = {}, None
        if not self.is_bound:
            return False
        self._read()
        if self.is_valid:
            for check in checks:
                with self._noting_raised():
                    check(self.data, self)
        return self.is_valid

    def avalidate(
        self, *checks: "Callable[[T, Form[T]], object] | Callable[[T, Form[T]], Awaitable[object]]"
    ) -> Coroutine[Any, Any, bool]:
        """Validate as ``validate`` does, but on an event loop: load the body first, and await async checks.

        The result has to be awaited. Before that, it is neither true nor false: ``if form.avalidate():`` raises
        TypeError.
        """
        return _Validation(self._avalidate(*checks))

    async def _avalidate(self, *checks: Callable[[T, "Form[T]"], object]) -> bool:
        if self.is_bound and self.method != "get":
            with suppress(ContentTooLarge):  # reading raises it again
                await self._request.aload()
        if self.validate():
            for check in checks:
                with self._noting_raised():
                    found = check(self.data, self)
                    if isawaitable(found):
                        await found
        return self.is_valid

    @contextmanager
    def _noting_raised(self) -> Iterator[None]:
        try:
            yield
        except FieldError as error:
            for fault in error.errors:
                self._add_fault(fault)

    @staticmethod
    def __takes__(wanted: type, method: str = "post") -> tuple[str, type]:
        """Return the part of a request that a form is read from, and its type, for documents."""
        return "query" if method == "get" else "form", wanted

    @property
    def data(self) -> T:
        """The value read from the form. Raises RuntimeError unless ``validate`` found all fields valid."""
        if self._value is None:
            raise explained(
                "form-without-data",
                f"the form {self._wanted.__name__} has no data unless validate() has returned True",
                RuntimeError,
            )
        return self._value[0]

    def apply(self, target: object) -> list[str]:
        """Write the submitted values to the members of an object or mapping. Return the names of those that changed.

        ``target`` is usually the ``initial`` of the form. Members are left alone if the form does not have them, shows
        them as ``disabled``, or got no value for them; an unticked checkbox is False. Passwords and files are not
        written, since they have to be hashed or saved. After an error, the members are as before.

        Raises RuntimeError unless the form is valid, and TypeError if the target lacks a member or can't be written.
        """
        if not (self._is_read and self.is_valid):
            name, names = self._wanted.__name__, ", ".join(filter(None, self._errors)) or "the whole form"
            why = f"it has errors ({names})" if self._errors else "it was not validated"
            fix = "write `if form.validate(): form.apply(...)`"
            raise explained("form-without-data", f"the form {name} can't be applied: {why}; {fix}", RuntimeError)
        written = [each for each in self._inputs if each.is_written and self._received().has(each)]
        own = self.data
        return write_members(target, {each.key: member_of(own, each.key) for each in written}, self._wanted)

    @property
    def is_valid(self) -> bool:
        """True if the form was validated and has no errors.

        Raises RuntimeError if the form was submitted, but not yet validated.
        """
        if self.is_bound and not self._is_read:
            raise explained(
                "form-without-data",
                f"the form {self._wanted.__name__} is not valid or invalid before form.validate() is called",
                RuntimeError,
            )
        return self._value is not None and not self._errors

    @property
    def is_too_large(self) -> bool:
        """True if the body was refused because of its size, so none of it was read."""
        return self._refusal is not None

    @property
    def errors(self) -> Mapping[str, list[FormError]]:
        """The errors by field. Errors of the whole form are under the empty name."""
        return self._errors

    @property
    def status(self) -> Literal[200, 413, 422]:
        """The status for the response: 413 if the body was too large, 422 if there are errors, otherwise 200."""
        return 413 if self.is_too_large else 422 if self._errors else 200

    def add_error(self, field: str | None, message: Text, code: str = "invalid") -> None:
        """Add a custom error to a field, or to the whole form if ``field`` is None.

        Raises ValueError for a field that the form does not have.
        """
        if field and field not in self._by_key:
            raise explained(
                "unknown-form-field",
                f"the form {self._wanted.__name__} has no field {field!r}; it has {', '.join(self._by_key)}",
            )
        self._errors.setdefault(field or "", []).append(FormError(str(message), code))

    def clear_errors(self, field: str | None) -> None:
        """Remove the errors of a field, or of the whole form if ``field`` is None."""
        self._errors.pop(field or "", None)

    def error(self) -> HTTPError:
        """Return the errors for clients that expect problem details, with ``status``: ``raise form.error()``.

        Raises ValueError for a form without errors.
        """
        pointers = {"": "", **{key: _step(planned.name) for key, planned in self._by_key.items()}}
        errors = [
            {"pointer": pointers[key], "detail": each.message, "code": each.code, **each.bounds}
            for key, found in self._errors.items()
            for each in found
        ]
        return http_error(self.status, self._said("error"), members={"errors": errors})

    def reset(self) -> None:
        """Discard the submitted data, so that the form is empty again."""
        self._errors, self._value, self._refusal, self.is_bound = {}, None, None, False

    def _read(self) -> None:
        self._is_read = True
        sent = self._received()
        if self._refusal is not None:
            self._add_refusal(self._refusal)
            return
        for planned in self._inputs:
            self._check(planned, sent)
        try:
            value = sent.read_as(self._wanted, self._inputs, self._request.limits)
        except UnprocessableContent as error:
            for fault in error.errors:
                self._add_fault(fault)
        else:
            self._value = (value,)

    def _received(self) -> Sent:
        """Return the submitted values, or nothing if the body was too large."""
        if self._sent is None:
            try:
                sent = sent_by(self._request, self._inputs, in_query=self.method == "get")
                sent = with_disabled(sent, self._inputs, self._initial_texts)
                self._sent = with_exact_times(sent, self._inputs, self._initial_texts)
            except ContentTooLarge as error:
                self._sent, self._refusal = NOTHING, copy(error)  # without its frames, which refer to this
        return self._sent

    def _add_refusal(self, error: ContentTooLarge) -> None:
        is_size = error.members.get("limit") in _IN_BYTES
        bounds = {"max": error.members.get("maximum")} if is_size else {}
        files = [planned.key for planned in self._inputs if planned.is_file]
        key = files[0] if is_size and len(files) == 1 else ""
        self._add(key, "body_too_large", bounds, () if is_size else ("many",))

    def _check(self, planned: Input, sent: Sent) -> None:
        if planned.is_required and not sent.is_filled(planned):
            self._add(planned.key, "missing", {}, (planned.widget,))
            return
        texts, files = sent.texts.getall(planned.name), sent.files.getall(planned.name)
        for code, bounds in wrong_files(planned, files) if planned.is_file else wrong_texts(planned, texts):
            self._add(planned.key, code, bounds, (planned.widget,))

    def _add_fault(self, fault: FieldProblem) -> None:
        """Add a fault found while reading, unless the field already has an error."""
        step = fault["pointer"].split("/")[1].replace("~1", "/").replace("~0", "~") if fault["pointer"] else ""
        planned = next((each for each in self._inputs if each.name == step), None)
        key = planned.key if planned else ""
        if key not in self._errors or not key:
            bounds = {name: bound for name, bound in fault.items() if name not in ("pointer", "detail", "code")}
            kinds = (planned.widget,) if planned else ()
            self._add(key, fault.get("code", "invalid"), bounds, (*kinds, *bounds), fault["detail"])

    def _add(self, key: str, code: str, bounds: Mapping[str, Any], kinds: Iterable[str], otherwise: str = "") -> None:
        planned = self._by_key.get(key)
        known = {**_bounds_of(planned), **bounds}
        message = message_for(code, otherwise, known, kinds, self._sources(planned))
        found = self._errors.setdefault(key, [])
        if message not in [each.message for each in found]:  # a message can repeat if a field has several values
            found.append(FormError(message, code, bounds))

    def _sources(self, planned: Input | None = None) -> list[Messages]:
        """Return the messages for the field, the form and the request's language, then the English ones."""
        own: list[Messages] = [planned.field.messages if planned else {}, self._messages]
        return [*own, *messages_in(RequestState(self._request).language)]

    def _said(self, code: str, **values: object) -> str:
        return message_for(code, "", values, (), self._sources())

    # Showing

    def texts(self, field: str) -> Sequence[str]:
        """Return the text of each of a field's inputs: the submitted text, or the initial value's text if nothing was
        submitted or the body was too large.

        A checkbox or a list that is not submitted is empty.
        """
        planned = self._by_key[field]
        sent = self._received() if self.is_bound else NOTHING
        if sent is not NOTHING and (planned.is_many or planned.is_switch or planned.name in sent.texts):
            return sent.texts.getall(planned.name)
        return self._initial_texts(planned)

    def lost_file(self, field: str) -> list[FormError]:
        """Return the message that asks for a field's file again, if it was sent with a form that has errors."""
        is_lost = self.is_bound and self._errors and any(self._received().files.getall(self._by_key[field].name))
        return [FormError(self._said("choose_again"), "choose_again")] if is_lost else []

    def _initial_texts(self, planned: Input) -> Sequence[str]:
        return TypeDescription.texts_of(self._initial_value(planned))

    def _initial_value(self, planned: Input) -> object:
        return self._initial[planned.key] if planned.key in self._initial else planned.default()

    def __getitem__(self, key: str) -> BoundField:
        return self.fields[key]

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> NoReturn:
            ours = f"form[{name!r}]" if name in vars(self).get("_by_key", ()) else OTHER_WORDS.get(name)
            fix = f"; use {ours}" if ours else ""
            raise AttributeError(f"{type(self).__name__} has no {name!r}{fix}", name=name, obj=self)

    def __iter__(self) -> Iterator[BoundField]:
        return iter(self.fields)

    @property
    def attributes(self) -> Markup:
        """The attributes of the form element: ``<form {{ form.attributes }}>``."""
        return attributes(self._attributes())

    def _attributes(self) -> dict[str, AttributeValue]:
        has_files = any(planned.is_file for planned in self._inputs)
        enctype = IN_PARTS if has_files and self.method == "post" else None
        return {"id": self.id or None, "method": self.method, "action": self.action, "enctype": enctype}

    @property
    def summary(self) -> Markup:
        """The errors, each with a link to its field, for the top of the form; empty if there are none."""
        if not self._errors:
            return Markup()
        items = [tag("li", {}, *self._line(field)) for field in [None, *self.fields] if self._line(field)]
        title = tag("p", {}, self._said("summary"))
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
    def hidden(self) -> Markup:
        """The hidden inputs: those of the form, and those that the application adds to all forms, such as a token."""
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
        if "idempotency_input" in shared:
            yield shared("idempotency_input")(self.action or "")

    def render(self, *, submit: Text | None = None, **more: AttributeValue) -> Markup:
        """Return the whole form with a submit button. ``more`` are attributes of the form: ``data_block="main"``."""
        visible = [field for field in self.fields if field.widget != "hidden"]
        said = next((each for each in (submit, self.submit) if each is not None), None)
        button = tag("button", {"type": "submit"}, self._said("submit") if said is None else said)
        parts = [self.summary, self.hidden, *visible, button]
        named = {name.rstrip("_").replace("_", "-"): value for name, value in more.items()}
        written = [each for part in parts if (each := joined([part]))]
        return tag("form", {**self._attributes(), **named}, "\n", joined(written, "\n"), "\n")

    def __html__(self) -> str:
        return self.render()

    __str__ = __html__


class _Validation(Coroutine[Any, Any, bool]):
    """A coroutine that raises an error if it is used as a condition: without ``await``, any data would be valid."""

    def __init__(self, coroutine: Coroutine[Any, Any, bool]) -> None:
        self._coroutine = coroutine

    def __await__(self) -> Generator[Any, Any, bool]:
        return self._coroutine.__await__()

    def __bool__(self) -> NoReturn:
        self._coroutine.close()
        raise explained(
            "coroutine-not-awaited", "form.avalidate() was not awaited: write `await form.avalidate()`", TypeError
        )

    def send(self, value: Any, /) -> Any:
        return self._coroutine.send(value)

    def throw(self, *error: Any) -> Any:
        return self._coroutine.throw(*error)

    def close(self) -> None:
        self._coroutine.close()


def _ordered(inputs: tuple[Input, ...], choices: Mapping[str, Choices], order: Sequence[str]) -> tuple[Input, ...]:
    """Return the inputs in order, those named in ``order`` first, with the choices given for one form."""
    by_key = {planned.key: planned for planned in inputs}
    if unknown := [name for name in (*choices, *order) if name not in by_key]:
        raise explained("unknown-form-field", f"the form has no field {unknown[0]!r}; it has {', '.join(by_key)}")
    for key, given in choices.items():
        by_key[key] = by_key[key].choosing(given)
    for key, planned in by_key.items():
        if planned.widget in ("select", "radio") and planned.choices is None:
            raise explained(
                "form-without-choices", f"{key} needs choices: Form(..., choices={{{key!r}: [...]}})", TypeError
            )
    return tuple(by_key[key] for key in dict.fromkeys([*order, *by_key]))


def _members_of(initial: object, keys: Iterable[str]) -> dict[str, object]:
    """Return the initial values, read while the object's database session is open."""
    if initial is None:
        return {}
    return {key: value for key in keys if (value := member_of(initial, key, ABSENT)) is not ABSENT}


def id_of(wanted: object) -> str:
    """Return a class's name as an id: ``new-lamp`` for ``NewLamp``."""
    name = getattr(wanted, "__name__", "form")
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", name).lower()


def _bounds_of(planned: Input | None) -> dict[str, Any]:
    if planned is None:
        return {}
    named = {"min": "min", "max": "max", "minlength": "min", "maxlength": "max"}
    known = planned.attributes
    return {said: known[name] for name, said in named.items() if known.get(name) is not None}
