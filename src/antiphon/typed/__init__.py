"""Bodies, forms and query arguments as values of a type. Imported when first used, because it loads msgspec."""

from antiphon.typed.readers import fields_as, json_as

__all__ = ["fields_as", "json_as"]
