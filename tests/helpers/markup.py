"""Objects with ``__html__``, as template libraries have them."""


class Markup(str):
    """A string that is markup."""

    def __html__(self):
        return self


class Widget:
    def __html__(self):
        return "<b>é</b>"
