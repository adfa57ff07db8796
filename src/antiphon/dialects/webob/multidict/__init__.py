"""Dictionaries whose keys may have several values: pairs in the order in which they came."""

from antiphon.dialects.webob.multidict.get_dict import GetDict
from antiphon.dialects.webob.multidict.multidict import MultiDict
from antiphon.dialects.webob.multidict.nested import NestedMultiDict
from antiphon.dialects.webob.multidict.no_vars import NoVars

__all__ = ["GetDict", "MultiDict", "NestedMultiDict", "NoVars"]
