"""The URLs of static files: their directories, and cache busters, which change a URL when its file changes."""

import os
from typing import Any
from urllib.parse import quote, urljoin, urlparse, urlunparse

from zope.interface import implementer

from antiphon.dialects.pyramid.asset import resolve_asset_spec
from antiphon.dialects.pyramid.interfaces import IPackageOverrides, IStaticURLInfo
from antiphon.dialects.pyramid.security import NO_PERMISSION_REQUIRED
from antiphon.dialects.pyramid.url import parse_url_overrides


def _directory(spec: str) -> str:
    separator = os.sep if os.path.isabs(spec) else "/"
    return spec if spec.endswith((separator, ":")) else spec + separator


@implementer(IStaticURLInfo)
class StaticURLInfo:
    """The directories of static files, each with its URL or route."""

    def __init__(self) -> None:
        self.registrations: list[tuple[str | None, str, str | None]] = []
        self.cache_busters: list[tuple[str, Any, bool]] = []

    def generate(self, path: str, request: Any, **kw: Any) -> str:
        """Return a file's URL. Raises ValueError for a file outside of the directories."""
        for url, spec, route_name in self.registrations:
            if not path.startswith(spec):
                continue
            subpath = path[len(spec) :].replace(os.sep, "/")
            if self.cache_busters:
                subpath, kw = self._bust_asset_path(request, spec, subpath, kw)
            if url is None:
                made: str = request.route_url(route_name, **{**kw, "subpath": subpath})
                return made
            _, query, anchor = parse_url_overrides(request, kw)
            parsed = urlparse(url)
            base = url if parsed.scheme else urlunparse(parsed._replace(scheme=request.scheme))
            return urljoin(base, quote(subpath)) + query + anchor
        raise ValueError(f"No static URL definition matching {path}")

    def add(self, config: Any, name: str, spec: str, **extra: Any) -> None:
        """Add a directory and, unless ``name`` is a URL, a view that serves it."""
        spec = _directory(spec)
        name = name if name.endswith("/") else f"{name}/"
        url = route_name = None
        if urlparse(name).netloc:
            url = name
        else:
            route_name = self._add_view(config, name, spec, extra)

        def register() -> None:
            known = self.registrations
            # Entries for views start with None instead of a URL. Only entries with a URL replace each other.
            self.registrations = [entry for entry in known if url is None or entry[0] != url]
            self.registrations.append((url, spec, route_name))

        intr = config.introspectable("static views", name, f"static view for {name!r}", "static view")
        intr.update(name=name, spec=spec)
        config.action(None, callable=register, introspectables=(intr,))

    def _add_view(self, config: Any, name: str, spec: str, extra: dict[str, Any]) -> str:
        from antiphon.dialects.pyramid.static import static_view

        view = static_view(
            spec,
            cache_max_age=extra.pop("cache_max_age", None),
            use_subpath=True,
            reload=config.registry.settings["pyramid.reload_assets"],
            content_encodings=extra.pop("content_encodings", []),
        )
        permission = extra.pop("permission", None)
        context = extra.pop("context", None) or extra.pop("for_", None)
        renderer = extra.pop("renderer", None)
        route_name = f"__{config.route_prefix}/{name}" if config.route_prefix else f"__{name}"
        config.add_route(route_name, f"{name}*subpath", **extra)
        config.add_view(
            route_name=route_name,
            view=view,
            permission=NO_PERMISSION_REQUIRED if permission is None else permission,
            context=context,
            renderer=renderer,
        )
        return route_name

    def add_cache_buster(self, config: Any, spec: str, cachebust: Any, explicit: bool = False) -> None:
        """Add a cache buster for a directory. The one with the most specific path applies."""
        spec = _directory(spec)

        def register() -> None:
            if config.registry.settings.get("pyramid.prevent_cachebust"):
                return
            others = [entry for entry in self.cache_busters if (entry[0], entry[2]) != (spec, explicit)]
            self.cache_busters = sorted(
                [*others, (spec, cachebust, explicit)], key=lambda entry: (entry[2], len(entry[0]))
            )

        intr = config.introspectable("cache busters", spec, f"cache buster for {spec!r}", "cache buster")
        intr.update(cachebust=cachebust, path=spec, explicit=explicit)
        config.action(None, callable=register, introspectables=(intr,))

    def _bust_asset_path(self, request: Any, spec: str, subpath: str, kw: dict[str, Any]) -> Any:
        package, folder = resolve_asset_spec(spec, None)
        path = f"{folder}{subpath}" if package is None else f"{package}:{folder}{subpath}"
        raw = None
        if package is not None:
            overrides = request.registry.queryUtility(IPackageOverrides, name=package)
            raw = None if overrides is None else overrides.get_spec(f"{folder}{subpath}")
        raw = path if raw is None else raw
        kw["pathspec"], kw["rawspec"] = path, raw
        for prefix, cachebust, explicit in reversed(self.cache_busters):
            if (raw if explicit else path).startswith(prefix):
                return cachebust(request, subpath, kw)
        return subpath, kw
