"""Forms made from definitions, with Asok's API, based on native forms."""

from collections.abc import Iterator, Mapping
from copy import copy
from functools import cache, lru_cache, partial
from typing import TYPE_CHECKING, Any, NoReturn, Self, cast

from antiphon import Request as NativeRequest
from antiphon.dialects.asok.exceptions import ValidationError
from antiphon.dialects.asok.forms.definitions import Definition, Makers, plain, planned, sent_value
from antiphon.dialects.asok.forms.field import FormField
from antiphon.dialects.asok.languages import as_written
from antiphon.dialects.asok.validation.validator import Validator
from antiphon.features import Form as NativeForm
from antiphon.features.html import Markup, joined, tag

if TYPE_CHECKING:
    from antiphon.dialects.asok.request import Request

_SUBMITTING = ("POST", "PUT", "PATCH")


class Form(Makers):
    """A form with its fields and the values that a request sent.

    Make one with ``Form({"name": Form.text("Name", "required")}, request)``, or declare ``class Contact(Form): name =
    Form.text("Name")`` and call ``Contact(request)``. If no request is given, the current one is used; if there is no
    current request, bind the form later. Raises ValueError for a form without fields, or for a name that an input can't
    have.
    """

    _declared_fields: Mapping[str, Definition] = {}

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        own = {name: Definition(*each) for name, each in vars(cls).items() if _is_definition(each)}
        cls._declared_fields = {**cls._declared_fields, **own}
        for name in filter(_is_taken, own):
            delattr(cls, name)  # so that the form keeps its own attribute of that name

    def __init__(
        self, fields_dict: "Mapping[str, tuple[Any, ...]] | Request | None" = None, request: "Request | None" = None
    ) -> None:
        if isinstance(fields_dict, Mapping):
            self._schema = {name: Definition(*each) for name, each in fields_dict.items()}
        elif fields_dict is None or hasattr(fields_dict, "native"):
            self._schema = dict(self._declared_fields)
            request = fields_dict or request
        else:
            raise TypeError(f"a form must be made from a dict of definitions, not {type(fields_dict).__name__}")
        if not self._schema:
            raise ValueError('a form needs fields: Form({"name": Form.text("Name")}, request)')
        self._read(request or _current_request())

    def _read(self, request: "Request | None") -> None:
        """Make the native form, and the fields with the sent values."""
        self._request = request
        self._is_template = request is None
        native = request.native if request is not None else _no_request()
        self._native = NativeForm(planned(self._schema), native, id="")
        self._fields = {name: FormField(name, each, self._native) for name, each in self._schema.items()}
        vars(self).update({name: field for name, field in self._fields.items() if not _is_taken(name)})
        if self._is_submitted():
            for field in self._fields.values():
                if not field.readonly:
                    field.value = sent_value(self._native, field.name, field.type)

    def _is_submitted(self) -> bool:
        return self._request is not None and self._request.method in _SUBMITTING

    def for_request(self, request: "Request") -> Self:
        """Return a new form with these fields for a request. Each request gets its own copy of a shared form."""
        made = copy(self)
        Form.__init__(made, self._schema, request)
        return made

    _bind = for_request

    def bind(self, request: "Request") -> Self:
        self._request = request
        self._is_template = False
        self._native = NativeForm(planned(self._schema), request.native, id="")
        for field in self._fields.values():
            field.native = self._native
            if self._is_submitted() and not field.readonly:
                field.value = sent_value(self._native, field.name, field.type)
        return self

    # Validation

    def validate(self, request: "Request | None" = None, csrf: bool = True, raise_error: bool = False) -> bool:
        """Return True if the form has been submitted and satisfies every rule.

        A form without a request is bound to ``request``. With ``csrf``, a request without a valid token is refused.
        With ``raise_error``, an invalid form raises ValidationError. Raises RuntimeError if there is no request.
        """
        if request is not None and self._request is None:
            self.bind(request)
        if self._request is None:
            raise RuntimeError("a form needs a request for validation: Form({...}, request), or form.bind(request)")
        if not self._is_submitted():
            return False
        if csrf:
            self._request.verify_csrf()
        is_valid = self._native.validate(self._check)
        if raise_error and not is_valid:
            raise ValidationError("Form validation failed", errors=self.errors)
        return is_valid

    is_valid = validate

    def _check(self, _record: object, native: "NativeForm[Any]") -> None:
        """Add the errors found by Asok's rules to the native form."""
        request = cast("Request", self._request)
        values = {name: field.value for name, field in self._fields.items() if field.type in _COMPOSED}
        sent = {**dict(request.native.form.items()), **values}
        validator = Validator(sent, request.files, partial(as_written, request))
        for name, field in self._fields.items():
            validator.rule(name, field.rules, field.messages)
        for name, message in validator.errors.items():
            if self._fields[name].type != "title":
                native.add_error(name, message)

    def reset(self) -> Self:
        """Discard the sent values and errors, and return the empty form."""
        self._native.reset()
        for field in self._fields.values():
            field.value = ""
        return self

    def fill(self, source: Any) -> Self:
        """Fill in values from a dict or an object unless the form has been submitted. Returns the form."""
        is_submitted = self._is_submitted()
        for name, field in self._fields.items():
            if is_submitted and not field.readonly:
                continue
            if isinstance(source, Mapping):
                if name in source:
                    field.value = plain(source[name])
            elif hasattr(source, name):
                field.value = plain(getattr(source, name))
        return self

    @property
    def data(self) -> dict[str, Any]:
        return {name: field.value for name, field in self._fields.items()}

    @property
    def errors(self) -> dict[str, str]:
        return {name: field.message for name, field in self._fields.items() if field.message}

    @property
    def has_errors(self) -> bool:
        """True if any field is invalid."""
        return bool(self.errors)

    def has_error(self, field_name: str) -> bool:
        """Return True if a field has an error. Raises KeyError if the form has no such field."""
        return bool(self.error(field_name))

    def error(self, field_name: str) -> str:
        """Return the message for a field; empty if it is valid.

        Raises KeyError if the form has no such field.
        """
        return self[field_name].message

    # Rendering

    @property
    def csrf(self) -> Markup:
        """The hidden input with the CSRF token; empty without a request."""
        return Markup() if self._request is None else self._request.csrf_input()

    @property
    def hidden_fields(self) -> Markup:
        """The hidden inputs, including the one with the CSRF token."""
        return joined([self.csrf, *(field for field in self if field.type == "hidden")], "\n")

    def render(self, submit: str | None = None, **_attrs: Any) -> Markup:
        """Return all fields with the CSRF token, and a button if ``submit`` gives its text."""
        button = [tag("button", {"type": "submit", "class": "form-submit"}, submit)] if submit else []
        return joined([self.csrf, *self, *button], "\n")

    def __html__(self) -> str:
        return self.render()

    __str__ = __html__

    def __iter__(self) -> Iterator[FormField]:
        return iter(self._fields.values())

    def __len__(self) -> int:
        return len(self._fields)

    def __contains__(self, name: object) -> bool:
        return name in self._fields

    def __getitem__(self, name: str) -> FormField:
        if name not in self._fields:
            raise KeyError(f"the form has no field {name!r}; it has {', '.join(self._fields)}")
        return self._fields[name]

    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> FormField: ...

    @classmethod
    def from_model(cls, *args: object, **options: object) -> NoReturn:
        """Raise NotImplementedError, since making forms from models requires Asok's ORM."""
        raise NotImplementedError(
            "Form.from_model makes forms from models of Asok's ORM, which this dialect does not offer: declare the"
            ' fields, Form({"name": Form.text("Name", "required")}, request), and form.fill(object)'
        )


_COMPOSED = ("daterange", "timerange", "tags", "transfer")
"""Field types whose value is sent as several values."""


def _is_definition(value: object) -> bool:
    return isinstance(value, tuple) and len(value) == len(Definition._fields) and isinstance(value[0], str)


@lru_cache(1024)
def _is_taken(name: str) -> bool:
    """Return True if the form has another attribute of this name. The field is then available as ``form["data"]``."""
    return name.startswith("_") or (hasattr(Form, name) and name not in vars(Makers))


def _current_request() -> "Request | None":
    from antiphon.dialects.asok.context import find_request

    return find_request()


@cache
def _no_request() -> NativeRequest:
    return NativeRequest.blank("/")
