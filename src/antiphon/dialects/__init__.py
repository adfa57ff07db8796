"""The APIs of other libraries, built on the layers below: the same names and behaviour, but not the same parsers."""

__reads__ = "anything"
