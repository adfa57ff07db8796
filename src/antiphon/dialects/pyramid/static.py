"""Static files: a view for a directory, and cache busters, which change a file's URL when its contents change."""

import json
import mimetypes
import os
import warnings
from importlib.util import find_spec
from typing import Any

from zope.interface import implementer

from antiphon.dialects.pyramid.asset import abspath_from_asset_spec, resolve_asset_spec
from antiphon.dialects.pyramid.httpexceptions import HTTPMovedPermanently, HTTPNotFound
from antiphon.dialects.pyramid.interfaces import ICacheBuster
from antiphon.dialects.pyramid.path import FSAssetDescriptor, PkgResourcesAssetDescriptor, caller_package
from antiphon.dialects.pyramid.response import FileResponse, _guess_type
from antiphon.dialects.pyramid.traversal import traversal_path_info
from antiphon.embedding import served_names

Found = tuple[str, str | None]
"""The path of a file, and its content coding."""

_is_served = served_names(dotfiles=True)


class static_view:  # noqa: N801 - Pyramid's name
    """A view that serves the files in a directory: a path, or `package:path`, whose files can be overridden.

    ``cache_max_age`` is in seconds. With ``use_subpath``, the file's name is the request's subpath instead of its full
    path. ``index`` is the file to send for a directory. Files encoded with one of ``content_encodings``, recognized by
    their extensions, are sent to clients that accept it. With ``reload``, files are looked up for each request.
    """

    def __init__(
        self,
        root_dir: str,
        cache_max_age: Any = 3600,
        package_name: str | None = None,
        use_subpath: bool = False,
        index: str = "index.html",
        reload: bool = False,
        content_encodings: Any = (),
    ) -> None:
        self.cache_max_age = cache_max_age
        package_name = caller_package().__name__ if package_name is None else package_name
        self.package_name, self.docroot = resolve_asset_spec(root_dir, package_name)
        if self.package_name and not _is_importable(self.package_name):
            warnings.warn(
                f'A "pyramid.static.static_view" is being created with an asset spec referencing a package'
                f" {self.package_name!r} that does not exist: {root_dir!r}",
                DeprecationWarning,
                stacklevel=2,
            )
        self.norm_docroot = os.path.normcase(os.path.normpath(self.docroot))
        self.use_subpath = use_subpath
        self.index = index
        self.reload = reload
        self.content_encodings = _extensions(content_encodings)
        self.filemap: dict[str, list[Found]] = {}

    def __call__(self, context: Any, request: Any) -> Any:  # noqa: ARG002 - the signature of views
        """Return a response with the requested file.

        Raises HTTPNotFound if there is none, and HTTPMovedPermanently for a directory without a trailing slash.
        """
        name = self.get_resource_name(request)
        files = self.get_possible_files(name)
        path, content_encoding = self.find_best_match(request, files)
        if path is None:
            raise HTTPNotFound(request.url)
        response = FileResponse(path, request, self.cache_max_age, _guess_type(name)[0], content_encoding)
        if len(files) > 1:
            _add_vary(response, "Accept-Encoding")
        return response

    def _asset(self, name: str) -> Any:
        return PkgResourcesAssetDescriptor(self.package_name, name) if self.package_name else FSAssetDescriptor(name)

    def get_resource_name(self, request: Any) -> str:
        """Return the name of the requested file in its package, or its path.

        Raises HTTPNotFound for a path outside of the directory.
        """
        segments = request.subpath if self.use_subpath else traversal_path_info(request.path_info)
        path = _secure_path(tuple(segments))
        if path is None:
            raise HTTPNotFound(f"Out of bounds: {request.url}")
        if self.package_name:
            name = f"{self.docroot.rstrip('/')}/{path}"
        else:
            name = os.path.normcase(os.path.normpath(os.path.join(self.norm_docroot, path)))
        if not self._asset(name).isdir():
            return name
        if not request.path_url.endswith("/"):
            raise self.add_slash_redirect(request)
        return f"{name.rstrip('/')}/{self.index}" if self.package_name else os.path.join(name, self.index)

    def find_resource_path(self, name: str) -> str | None:
        """Return the path of a regular file, or None if there is no such file."""
        asset = self._asset(name)
        if not asset.exists() or asset.isdir():
            return None
        path: str = asset.abspath()
        return path if os.path.isfile(path) else None

    def get_possible_files(self, resource_name: str) -> list[Found]:
        """Return a file and its encoded versions, shortest first."""
        known = self.filemap.get(resource_name)
        if known is not None:
            return known
        names = [("", None), *((ext, coding) for coding, exts in self.content_encodings.items() for ext in exts)]
        paths = [(self.find_resource_path(resource_name + ext), coding) for ext, coding in names]
        files: list[Found] = [(path, coding) for path, coding in paths if path is not None]
        files.sort(key=lambda each: os.path.getsize(each[0]))
        if files and not self.reload:  # missing files are not cached, since their names are unlimited
            self.filemap[resource_name] = files
        return files

    def find_best_match(self, request: Any, files: list[Found]) -> tuple[str | None, str | None]:
        """Return the first file whose coding the client accepts."""
        codings = [coding for _, coding in files if coding is not None]
        accepted: set[str | None] = {None}
        if request.accept_encoding and codings:
            accepted.update(coding for coding, _ in request.accept_encoding.acceptable_offers(codings))
        return next((each for each in files if each[1] in accepted), (None, None))

    def add_slash_redirect(self, request: Any) -> Any:
        """Return a redirect to a directory's URL."""
        query = request.query_string
        return HTTPMovedPermanently(f"{request.path_url}/{f'?{query}' if query else ''}")


def _is_importable(name: str) -> bool:
    try:
        return find_spec(name) is not None
    except (ImportError, ValueError):  # `__main__` has no spec
        return name == "__main__"


def _extensions(content_encodings: Any) -> dict[str, list[str]]:
    """Return the file extensions for each requested coding."""
    found: dict[str, list[str]] = {}
    for extension, coding in mimetypes.encodings_map.items():
        if coding in content_encodings:
            found.setdefault(coding, []).append(extension)
    return found


def _add_vary(response: Any, option: str) -> None:
    vary = [*(response.vary or ())]
    if option.lower() not in map(str.lower, vary):
        vary.append(option)
    response.vary = vary


def _secure_path(path_tuple: tuple[str, ...]) -> str | None:
    """Join the segments of a path. Return None if the path could be outside of the directory."""
    path = "/".join(path_tuple)
    is_whole = all(segment and "/" not in segment for segment in path_tuple)
    return path if not path_tuple or (is_whole and _is_served(path)) else None


@implementer(ICacheBuster)
class QueryStringCacheBuster:
    """A cache buster that adds a parameter to the query of a file's URL.

    Subclasses define ``tokenize``, which returns the parameter's value.
    """

    def __init__(self, param: str = "x") -> None:
        self.param = param

    def tokenize(self, request: Any, pathspec: Any, kw: dict[str, Any]) -> str:
        raise NotImplementedError

    def __call__(self, request: Any, subpath: str, kw: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        """Return the path and the keywords for the file's URL."""
        token = self.tokenize(request, subpath, kw)
        query = kw.setdefault("_query", {})
        if isinstance(query, dict):
            query[self.param] = token
        else:
            kw["_query"] = (*query, (self.param, token))
        return subpath, kw


class QueryStringConstantCacheBuster(QueryStringCacheBuster):
    """A cache buster that adds the same value, such as a version, to the query of every file's URL."""

    def __init__(self, token: str, param: str = "x") -> None:
        super().__init__(param=param)
        self._token = token

    def tokenize(self, request: Any, pathspec: Any, kw: dict[str, Any]) -> str:  # noqa: ARG002 - as its class has it
        return self._token


@implementer(ICacheBuster)
class ManifestCacheBuster:
    """A cache buster that replaces files' paths with those in a manifest, by default a JSON file.

    The manifest is read once or, with ``reload``, again whenever it changes. Raises OSError if it is missing.
    """

    exists = staticmethod(os.path.exists)
    getmtime = staticmethod(os.path.getmtime)

    def __init__(self, manifest_spec: str, reload: bool = False) -> None:
        self.manifest_path: Any = abspath_from_asset_spec(manifest_spec, caller_package().__name__)
        self.reload = reload
        self._mtime: float | None = None
        self._manifest: dict[str, str] = {} if reload else self.get_manifest()

    def get_manifest(self) -> Any:
        with open(self.manifest_path, "rb") as file:
            return self.parse_manifest(file.read())

    def parse_manifest(self, content: bytes) -> Any:
        return json.loads(content.decode())

    @property
    def manifest(self) -> dict[str, str]:
        if self.reload:
            if not self.exists(self.manifest_path):
                return {}
            changed = self.getmtime(self.manifest_path)
            if self._mtime is None or changed > self._mtime:
                self._manifest, self._mtime = self.get_manifest(), changed
        return self._manifest

    def __call__(
        self,
        request: Any,  # noqa: ARG002 - the signature of cache busters
        subpath: str,
        kw: dict[str, Any],
    ) -> tuple[str, dict[str, Any]]:
        """Return the path and the keywords for the file's URL."""
        return self.manifest.get(subpath, subpath), kw
