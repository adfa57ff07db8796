"""The dictionaries and sets of `werkzeug.datastructures.structures`."""

from antiphon.dialects.werkzeug.datastructures.combined import CombinedMultiDict
from antiphon.dialects.werkzeug.datastructures.dicts import (
    CallbackDict,
    ImmutableDict,
    ImmutableList,
    ImmutableTypeConversionDict,
    TypeConversionDict,
)
from antiphon.dialects.werkzeug.datastructures.header_set import HeaderSet
from antiphon.dialects.werkzeug.datastructures.multidict import ImmutableMultiDict, MultiDict, iter_multi_items
from antiphon.dialects.werkzeug.datastructures.ordered import ImmutableOrderedMultiDict, OrderedMultiDict

_ImmutableOrderedMultiDict = ImmutableOrderedMultiDict
_OrderedMultiDict = OrderedMultiDict

__all__ = [
    "CallbackDict",
    "CombinedMultiDict",
    "HeaderSet",
    "ImmutableDict",
    "ImmutableList",
    "ImmutableMultiDict",
    "ImmutableOrderedMultiDict",
    "ImmutableTypeConversionDict",
    "MultiDict",
    "OrderedMultiDict",
    "TypeConversionDict",
    "iter_multi_items",
]
