"""The entity tags of If-Match and If-None-Match (RFC 9110 §8.8.3)."""

from collections.abc import Collection, Iterable, Iterator

from antiphon.dialects.werkzeug.tokens import generate_etag, unquote_etag


class ETags(Collection[str]):
    """A list of strong and weak tags without quotes, or ``*``, which matches every tag.

    ``in`` checks only strong tags.
    """

    def __init__(
        self, strong_etags: Iterable[str] | None = None, weak_etags: Iterable[str] | None = None, star_tag: bool = False
    ) -> None:
        # Dictionaries keep their order, unlike sets.
        self._strong = dict.fromkeys(strong_etags) if strong_etags and not star_tag else {}
        self._weak = dict.fromkeys(weak_etags) if weak_etags else {}
        self.star_tag = star_tag

    def as_set(self, include_weak: bool = False) -> set[str]:
        """Return the strong tags or, with ``include_weak``, all tags."""
        return {*self._strong, *self._weak} if include_weak else {*self._strong}

    def is_weak(self, etag: str) -> bool:
        """Return True if a tag is listed as weak."""
        return etag in self._weak

    def is_strong(self, etag: str) -> bool:
        """Return True if a tag is listed as strong."""
        return etag in self._strong

    def contains_weak(self, etag: str) -> bool:
        """Return True if a tag is listed as weak or strong, or if the list is ``*`` (weak comparison)."""
        return etag in self._weak or self.contains(etag)

    def contains(self, etag: str) -> bool:
        """Return True if a tag is listed as strong, or if the list is ``*``."""
        return self.star_tag or etag in self._strong

    def contains_raw(self, etag: str) -> bool:
        """Return True if a quoted tag is listed. A weak tag is compared weakly."""
        tag, weak = unquote_etag(etag)
        return self.contains_weak(tag or "") if weak else self.contains(tag or "")

    def to_header(self) -> str:
        if self.star_tag:
            return "*"
        return ", ".join([f'"{tag}"' for tag in self._strong] + [f'W/"{tag}"' for tag in self._weak])

    def __call__(self, etag: str | None = None, data: bytes | None = None, include_weak: bool = False) -> bool:
        """Return True if the list contains a tag, or the tag of ``data``. Raises TypeError if neither is given."""
        if etag is None:
            if data is None:
                raise TypeError("'data' is required when 'etag' is not given.")
            etag = generate_etag(data)
        return etag in self._strong or (include_weak and etag in self._weak)

    def __bool__(self) -> bool:
        return bool(self.star_tag or self._strong or self._weak)

    def __len__(self) -> int:
        return len(self._strong)

    def __iter__(self) -> Iterator[str]:
        return iter(self._strong)

    def __contains__(self, etag: object) -> bool:
        return self.star_tag or etag in self._strong

    def __str__(self) -> str:
        return self.to_header()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {str(self)!r}>"
