"""The texts and files that a request sent for a form, and the value read from them."""

from typing import NamedTuple, TypeVar

from antiphon.features.forms.inputs import Input
from antiphon.http.multidict import MultiDict
from antiphon.request.body import FORM, wrong_type
from antiphon.request.request import Request
from antiphon.serialization.readers import fields_as
from antiphon.uploads.upload import Upload

T = TypeVar("T")

IN_PARTS = "multipart/form-data"
TICKED = ("on", "true", "1")


class Sent(NamedTuple):
    """The texts and the files of a form, by the names of the inputs."""

    texts: MultiDict[str]
    files: MultiDict[Upload]

    def is_filled(self, planned: Input) -> bool:
        """Return True if something was entered, chosen or ticked."""
        if planned.is_file:
            return any(self.files.getall(planned.name))
        texts = self.texts.getall(planned.name)
        return any(text.lower() in TICKED for text in texts) if planned.is_switch else any(texts)

    def read_as(self, wanted: type[T], inputs: tuple[Input, ...]) -> T:
        """Return the value of a class. Raises UnprocessableContent that names every invalid field.

        Names that do not belong to this form, such as a token, are left out, as are empty texts that mean nothing.
        Unticked checkboxes are false.
        """
        by_name = {planned.name: planned for planned in inputs}
        known = [(name, text) for name, text in self.texts.items() if name in by_name]
        pairs = [(name, text) for name, text in known if text or not _means_nothing(by_name[name])]
        pairs += [(each.name, "false") for each in inputs if each.is_switch and each.name not in self.texts]
        files = MultiDict((name, file) for name, file in self.files.items() if name in by_name)
        return fields_as(MultiDict(pairs), wanted, "form", files=files, file_type=Upload)


NOTHING = Sent(MultiDict(), MultiDict())


def sent_by(request: Request, inputs: tuple[Input, ...], *, in_query: bool) -> Sent:
    """Return what a request sent. Raises UnsupportedMediaType (415) for a body that is not a form."""
    if in_query:
        return Sent(request.args, MultiDict())
    if request.mimetype not in (FORM, IN_PARTS) and (request.mimetype or not request.content.is_empty):
        raise wrong_type("a form", request.head.field("content-type"))
    return Sent(_with_line_ends(inputs, request.form), request.files)


def _with_line_ends(inputs: tuple[Input, ...], texts: MultiDict[str]) -> MultiDict[str]:
    r"""Return texts, with the line ends of textareas as they were typed: ``\n``. Browsers send CRLF."""
    areas = {planned.name for planned in inputs if planned.widget == "textarea"}
    if not areas:
        return texts
    return MultiDict((name, text.replace("\r\n", "\n") if name in areas else text) for name, text in texts.items())


def _means_nothing(planned: Input) -> bool:
    """Return True for an input whose empty text means no value: one of several, or one whose default is None."""
    return planned.is_many or (planned.is_text and planned.has_default and planned.default() is None)
