"""URLs made by calls, as Werkzeug had them before 2.0: ``Href("/shop")("cart", 3, sort="price")``."""

from collections.abc import Callable, Mapping
from typing import Any

from antiphon.dialects.werkzeug.urls.fields import url_encode
from antiphon.dialects.werkzeug.urls.parts import url_join
from antiphon.dialects.werkzeug.urls.quoting import url_quote


class Href:
    """A function that makes URLs below a base: of segments of the path, and of the query by name.

    An attribute is an Href below that segment.
    """

    def __init__(
        self,
        base: str = "./",
        charset: str = "utf-8",
        sort: bool = False,
        key: Callable[[tuple[Any, Any]], Any] | None = None,
    ) -> None:
        self.base = base or "./"
        self.charset = charset
        self.sort = sort
        self.key = key

    def __getattr__(self, name: str) -> "Href":
        if name.startswith("__"):
            raise AttributeError(name)
        return Href(url_join(f"{self.base.removesuffix('/')}/", name), self.charset, self.sort, self.key)

    def __call__(self, *path: Any, **query: Any) -> str:
        """Return the URL. None is left out; the query may also be a mapping, as the last positional argument.

        An underscore at the end of a name is removed. Raises TypeError for a query in both ways.
        """
        fields: Mapping[Any, Any] = {name.removesuffix("_") or name: value for name, value in query.items()}
        if path and isinstance(path[-1], dict):
            if query:
                raise TypeError("keyword arguments and query-dicts can't be combined")
            *path, fields = path  # type: ignore[assignment]  # a list will do as well
        segments = [url_quote(segment, self.charset) for segment in path if segment is not None]
        url = self.base
        if below := "/".join(segments).lstrip("/"):
            url = url_join(f"{url.removesuffix('/')}/", f"./{below}")
        return f"{url}?{url_encode(fields, self.charset, self.sort, self.key)}" if fields else url
