"""The directive that makes zope.component use the application's registry."""

from typing import Any

from antiphon.dialects.pyramid.threadlocal import get_current_registry


class ZCAConfiguratorMixin:
    """The directive for zope.component."""

    def hook_zca(self) -> None:
        """Make ``zope.component.getSiteManager`` return the current registry."""
        from zope.component import getSiteManager  # pyright: ignore[reportMissingImports]

        hookable: Any = getSiteManager
        hookable.sethook(get_current_registry)

    def unhook_zca(self) -> None:
        """Undo ``hook_zca``."""
        from zope.component import getSiteManager  # pyright: ignore[reportMissingImports]

        hookable: Any = getSiteManager
        hookable.reset()
