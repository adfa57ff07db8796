"""The directive with which zope.component finds the application's registry."""

from typing import Any

from antiphon.dialects.pyramid.threadlocal import get_current_registry


class ZCAConfiguratorMixin:
    """The directive for zope.component."""

    def hook_zca(self) -> None:
        """Have ``zope.component.getSiteManager`` return the registry that is current."""
        from zope.component import getSiteManager  # pyright: ignore[reportMissingImports]

        hookable: Any = getSiteManager
        hookable.sethook(get_current_registry)

    def unhook_zca(self) -> None:
        """Undo that."""
        from zope.component import getSiteManager  # pyright: ignore[reportMissingImports]

        hookable: Any = getSiteManager
        hookable.reset()
