"""The directive for renderers."""

from typing import Any

from antiphon.dialects.pyramid import renderers
from antiphon.dialects.pyramid.config.actions import action_method
from antiphon.dialects.pyramid.interfaces import PHASE1_CONFIG, IRendererFactory

DEFAULT_RENDERERS = (("json", renderers.json_renderer_factory), ("string", renderers.string_renderer_factory))


class RenderingConfiguratorMixin:
    """The directive for renderers."""

    def add_default_renderers(self) -> None:
        for name, renderer in DEFAULT_RENDERERS:
            self.add_renderer(name, renderer)

    @action_method
    def add_renderer(self, name: str | None, factory: Any) -> None:
        """Add a function that makes renderers, under the renderer's name or the extension of its files.

        If the name is None, the function makes the default renderer.
        """
        config: Any = self
        factory = config.maybe_dotted(factory)
        name = name or ""

        def register() -> None:
            config.registry.registerUtility(factory, IRendererFactory, name=name)

        intr = config.introspectable("renderer factories", name, config.object_description(factory), "renderer factory")
        intr.update(factory=factory, name=name)
        config.action((IRendererFactory, name), register, order=PHASE1_CONFIG, introspectables=(intr,))
