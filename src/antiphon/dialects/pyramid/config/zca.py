"""The directive that lets zope.component find the application's registry."""

from antiphon.dialects.pyramid.threadlocal import get_current_registry


class ZCAConfiguratorMixin:
    """The directive for zope.component."""

    def hook_zca(self) -> None:
        """Have ``zope.component.getSiteManager`` return the registry that is current."""
        from zope.component import getSiteManager  # pyright: ignore[reportMissingImports]

        getSiteManager.sethook(get_current_registry)

    def unhook_zca(self) -> None:
        """Undo that."""
        from zope.component import getSiteManager  # pyright: ignore[reportMissingImports]

        getSiteManager.reset()
