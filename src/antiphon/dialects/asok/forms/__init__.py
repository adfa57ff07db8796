"""Forms with Asok's API."""

from antiphon.dialects.asok.exceptions import ValidationError
from antiphon.dialects.asok.forms.field import FormField, Renderable
from antiphon.dialects.asok.forms.form import Form

__all__ = ["Form", "FormField", "Renderable", "ValidationError"]
