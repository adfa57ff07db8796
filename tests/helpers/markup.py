"""Objects with ``__html__``, as template libraries have them."""


class Markup(str):
    def __html__(self):
        return self


class Widget:
    def __html__(self):
        return "<b>é</b>"
