"""Directives for testing views with a user, resources and templates, but without a real application."""

from typing import Any

from antiphon.dialects.pyramid.config.actions import action_method
from antiphon.dialects.pyramid.interfaces import IRendererFactory, ISecurityPolicy, ITraverser
from antiphon.dialects.pyramid.traversal import split_path_info


class TestingConfiguratorMixin:
    def testing_securitypolicy(
        self,
        userid: Any = None,
        identity: Any = None,
        permissive: Any = True,
        remember_result: Any = None,
        forget_result: Any = None,
    ) -> Any:
        """Set a user who may do everything or nothing. Return the policy, which records its calls."""
        from antiphon.dialects.pyramid.testing import DummySecurityPolicy

        policy = DummySecurityPolicy(userid, identity, permissive, remember_result, forget_result)
        self.registry.registerUtility(policy, ISecurityPolicy)  # type: ignore[attr-defined]  # the configurator has it
        return policy

    def testing_resources(self, resources: dict[str, Any]) -> dict[str, Any]:
        """Find contexts in a dictionary by their paths. Return the dictionary."""

        class DummyTraverserFactory:
            def __init__(self, context: Any) -> None:
                self.context = context

            def __call__(self, request: Any) -> dict[str, Any]:
                path = request.path_info
                context = resources[path]
                names = split_path_info(path)
                return {
                    "context": context, "view_name": "", "subpath": (), "traversed": names, "virtual_root": context,
                    "virtual_root_path": (), "root": context,
                }  # fmt: skip

        self.registry.registerAdapter(DummyTraverserFactory, (_anything(),), ITraverser)  # type: ignore[attr-defined]
        return resources

    testing_models = testing_resources

    @action_method
    def testing_add_subscriber(self, event_iface: Any = None) -> list[Any]:
        config: Any = self
        iface = config.maybe_dotted(event_iface)
        heard: list[Any] = []

        def subscriber(*event: Any) -> None:
            heard.extend(event)

        required = (_anything() if iface is None else iface,)
        config.registry.registerHandler(subscriber, tuple(iface) if isinstance(iface, (tuple, list)) else required)
        return heard

    def testing_add_renderer(self, path: str, renderer: Any = None) -> Any:
        """Replace a template with a function, or with an object that records its values. Return the renderer."""
        from antiphon.dialects.pyramid.testing import DummyRendererFactory, DummyTemplateRenderer

        config: Any = self
        registry = config.registry
        kind = f".{path.rpartition('.')[2]}" if "." in path else path
        factory = registry.queryUtility(IRendererFactory, name=kind)
        if not isinstance(factory, DummyRendererFactory):
            factory = DummyRendererFactory(kind, factory)
            registry.registerUtility(factory, IRendererFactory, name=kind)
        made = DummyTemplateRenderer() if renderer is None else renderer
        factory.add(path, made)
        return made

    testing_add_template = testing_add_renderer


def _anything() -> Any:
    from zope.interface import Interface

    return Interface
