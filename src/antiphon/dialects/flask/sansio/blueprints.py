"""Blueprints: routes, hooks and handlers to be registered on an application later, any number of times."""

import os
from collections.abc import Callable
from functools import update_wrapper
from typing import TYPE_CHECKING, Any, TypeVar

from antiphon.dialects.flask.sansio.scaffold import (
    Key,
    Scaffold,
    _endpoint_from_view_func,
    _named,
    _sentinel,
    setupmethod,
)

if TYPE_CHECKING:
    from antiphon.dialects.flask.sansio.app import App

F = TypeVar("F", bound=Callable[..., Any])

DeferredSetupFunction = Callable[["BlueprintSetupState"], None]


class BlueprintSetupState:
    """One registration of a blueprint on an application, with the options of both."""

    def __init__(self, blueprint: "Blueprint", app: "App", options: Any, first_registration: bool) -> None:
        self.app = app
        self.blueprint = blueprint
        self.options = options
        self.first_registration = first_registration
        self.subdomain: str | None = _first_given(options.get("subdomain"), blueprint.subdomain)
        self.url_prefix: str | None = _first_given(options.get("url_prefix"), blueprint.url_prefix)
        self.name: str = options.get("name", blueprint.name)
        self.name_prefix: str = options.get("name_prefix", "")
        self.url_defaults: dict[str, Any] = {**blueprint.url_values_defaults, **dict(options.get("url_defaults", ()))}

    def add_url_rule(
        self, rule: str, endpoint: str | None = None, view_func: Callable[..., Any] | None = None, **options: Any
    ) -> None:
        """Register a rule of the blueprint. Its path gets the prefix, and its endpoint the blueprint's name."""
        if self.url_prefix is not None:
            rule = _joined(self.url_prefix, rule) if rule else self.url_prefix
        options.setdefault("subdomain", self.subdomain)
        endpoint = _endpoint_from_view_func(view_func) if endpoint is None else endpoint
        defaults = {**self.url_defaults, **options.pop("defaults", {})}
        name = f"{self.name_prefix}.{self.name}.{endpoint}".lstrip(".")
        self.app.add_url_rule(rule, name, view_func, defaults=defaults, **options)


class Blueprint(Scaffold):
    """Routes, hooks and handlers under one name: see ``flask.Blueprint``."""

    _got_registered_once = False

    def __init__(
        self,
        name: str,
        import_name: str,
        static_folder: str | os.PathLike[str] | None = None,
        static_url_path: str | None = None,
        template_folder: str | os.PathLike[str] | None = None,
        url_prefix: str | None = None,
        subdomain: str | None = None,
        url_defaults: dict[str, Any] | None = None,
        root_path: str | None = None,
        cli_group: str | None = _sentinel,
    ) -> None:
        super().__init__(import_name, static_folder, static_url_path, template_folder, root_path)
        if not name:
            raise ValueError("'name' may not be empty.")
        if "." in name:
            raise ValueError("'name' may not contain a dot '.' character.")
        self.name = name
        self.url_prefix = url_prefix
        self.subdomain = subdomain
        self.deferred_functions: list[DeferredSetupFunction] = []
        self.url_values_defaults: dict[str, Any] = url_defaults or {}
        self.cli_group = cli_group
        self._blueprints: list[tuple[Blueprint, dict[str, Any]]] = []

    def _check_setup_finished(self, f_name: str) -> None:
        if self._got_registered_once:
            raise AssertionError(
                f"The setup method '{f_name}' can no longer be called on the blueprint '{self.name}'. It has already"
                " been registered at least once, any changes will not be applied consistently.\nMake sure all imports,"
                " decorators, functions, etc. needed to set up the blueprint are done before registering it."
            )

    # Registration

    @setupmethod
    def record(self, func: DeferredSetupFunction) -> None:
        """Register a function to call with the ``BlueprintSetupState`` each time the blueprint is registered."""
        self.deferred_functions.append(func)

    @setupmethod
    def record_once(self, func: DeferredSetupFunction) -> None:
        """Register a function to call only the first time the blueprint is registered on an application."""

        def at_first(state: BlueprintSetupState) -> None:
            if state.first_registration:
                func(state)

        self.record(update_wrapper(at_first, func))

    def make_setup_state(
        self, app: "App", options: dict[str, Any], first_registration: bool = False
    ) -> BlueprintSetupState:
        """Return the object passed to the functions registered with ``record``. Subclasses may override it."""
        return BlueprintSetupState(self, app, options, first_registration)

    @setupmethod
    def register_blueprint(self, blueprint: "Blueprint", **options: Any) -> None:
        """Add a blueprint inside this one. ``options`` override the blueprint's own."""
        if blueprint is self:
            raise ValueError("Cannot register a blueprint on itself")
        self._blueprints.append((blueprint, options))

    def register(self, app: "App", options: dict[str, Any]) -> None:
        """Add the routes, hooks and handlers to an application, then those of the nested blueprints.

        Raises ValueError if the name is already taken.
        """
        own_name = options.get("name", self.name)
        name = f"{options.get('name_prefix', '')}.{own_name}".lstrip(".")
        self._check_name(app, own_name, name)
        is_first = not any(each is self for each in app.blueprints.values())
        app.blueprints[name] = self
        self._got_registered_once = True
        state = self.make_setup_state(app, options, is_first)
        if self.has_static_folder:
            rule = f"{self.static_url_path}/<path:filename>"
            state.add_url_rule(rule, view_func=self.send_static_file, endpoint="static")
        self._merge_blueprint_funcs(app, name)
        for function in self.deferred_functions:
            function(state)
        self._add_commands(app, name, options)
        for blueprint, inner_options in self._blueprints:
            blueprint.register(app, _inner_options(state, blueprint, inner_options, name))

    def _check_name(self, app: "App", own_name: str, name: str) -> None:
        if name in app.blueprints:
            which = "this" if app.blueprints[name] is self else "a different"
            where = "" if own_name == name else f" '{name}'"
            raise ValueError(
                f"The name '{own_name}' is already registered for {which} blueprint{where}. Use 'name=' to provide a"
                " unique name."
            )

    def _add_commands(self, app: "App", name: str, options: dict[str, Any]) -> None:
        """Add the blueprint's commands to the application, in a group with its name, in another group, or directly."""
        if "cli" not in self.__dict__ or not self.cli.commands:
            return
        group = options.get("cli_group", self.cli_group)
        if group is None:
            app.cli.commands.update(self.cli.commands)
            return
        self.cli.name = name if group is _sentinel else group
        app.cli.add_command(self.cli)

    def _merge_blueprint_funcs(self, app: "App", name: str) -> None:
        for key, handlers in self.error_handler_spec.items():
            ours = app.error_handler_spec[_within(name, key)]
            for code, by_class in handlers.items():
                ours[code] = dict(by_class)
        app.view_functions.update(self.view_functions)
        for attribute in _HOOKS:
            merged = getattr(app, attribute)
            for key, functions in getattr(self, attribute).items():
                merged[_within(name, key)].extend(functions)

    @setupmethod
    def add_url_rule(
        self,
        rule: str,
        endpoint: str | None = None,
        view_func: Callable[..., Any] | None = None,
        provide_automatic_options: bool | None = None,
        **options: Any,
    ) -> None:
        """Register a rule below the blueprint's prefix. Its endpoint is prefixed with the blueprint's name.

        Raises ValueError if the endpoint or the view's name contains a dot.
        """
        if endpoint and "." in endpoint:
            raise ValueError("'endpoint' may not contain a dot '.' character.")
        if view_func and "." in getattr(view_func, "__name__", ""):
            raise ValueError("'view_func' name may not contain a dot '.' character.")
        self.record(
            lambda state: state.add_url_rule(
                rule, endpoint, view_func, provide_automatic_options=provide_automatic_options, **options
            )
        )

    # For the whole application

    def _for_app(self, hooks: str, f: F) -> F:
        self.record_once(lambda state: getattr(state.app, hooks)[None].append(f))
        return f

    @setupmethod
    def before_app_request(self, f: F) -> F:
        """Register a function to call before each request of the application."""
        return self._for_app("before_request_funcs", f)

    @setupmethod
    def after_app_request(self, f: F) -> F:
        """Register a function to call with the response after each request of the application."""
        return self._for_app("after_request_funcs", f)

    @setupmethod
    def teardown_app_request(self, f: F) -> F:
        """Register a function to call at the end of each of the application's requests."""
        return self._for_app("teardown_request_funcs", f)

    @setupmethod
    def app_context_processor(self, f: F) -> F:
        """Register a function that returns variables for all of the application's templates."""
        return self._for_app("template_context_processors", f)

    @setupmethod
    def app_url_value_preprocessor(self, f: F) -> F:
        """Register a function that may change the path values of any of the application's requests."""
        return self._for_app("url_value_preprocessors", f)

    @setupmethod
    def app_url_defaults(self, f: F) -> F:
        """Register a function that may change the values of any URL that the application builds."""
        return self._for_app("url_default_functions", f)

    @setupmethod
    def app_errorhandler(self, code: type[Exception] | int) -> Callable[[F], F]:
        """Register a handler for errors anywhere in the application. Usable as a decorator."""

        def register(f: F) -> F:
            self.record_once(lambda state: state.app.register_error_handler(code, f))
            return f

        return register

    def _for_templates(self, kind: str, f: Callable[..., Any], name: str | None) -> None:
        def register(state: BlueprintSetupState) -> None:
            getattr(state.app.jinja_env, kind)[name or f.__name__] = f

        self.record_once(register)

    @setupmethod
    def app_template_filter(self, name: Any = None) -> Callable[[F], F]:
        """Register a filter for all templates. Usable as a decorator, with or without a name."""
        return _named(self.add_app_template_filter, name)

    @setupmethod
    def add_app_template_filter(self, f: Callable[..., Any], name: str | None = None) -> None:
        self._for_templates("filters", f, name)

    @setupmethod
    def app_template_test(self, name: Any = None) -> Callable[[F], F]:
        """Register a test for all templates. Usable as a decorator, with or without a name."""
        return _named(self.add_app_template_test, name)

    @setupmethod
    def add_app_template_test(self, f: Callable[..., bool], name: str | None = None) -> None:
        self._for_templates("tests", f, name)

    @setupmethod
    def app_template_global(self, name: Any = None) -> Callable[[F], F]:
        """Register a function that all templates can call. Usable as a decorator, with or without a name."""
        return _named(self.add_app_template_global, name)

    @setupmethod
    def add_app_template_global(self, f: Callable[..., Any], name: str | None = None) -> None:
        """Register a function that all templates can call."""
        self._for_templates("globals", f, name)


_HOOKS = (
    "before_request_funcs",
    "after_request_funcs",
    "teardown_request_funcs",
    "url_default_functions",
    "url_value_preprocessors",
    "template_context_processors",
)


def _first_given(first: str | None, second: str | None) -> str | None:
    return second if first is None else first


def _joined(prefix: str, path: str) -> str:
    return f"{prefix.rstrip('/')}/{path.lstrip('/')}"


def _within(name: str, key: Key) -> str:
    return name if key is None else f"{name}.{key}"


def _inner_options(
    state: BlueprintSetupState, blueprint: Blueprint, options: dict[str, Any], name: str
) -> dict[str, Any]:
    """Return a nested blueprint's options, with its prefix and subdomain joined to the outer ones."""
    inner = {**options, "name_prefix": name}
    subdomains = [
        each
        for each in (_first_given(options.get("subdomain"), blueprint.subdomain), state.subdomain)
        if each is not None
    ]
    if subdomains:
        inner["subdomain"] = ".".join(subdomains)
    prefix = _first_given(options.get("url_prefix"), blueprint.url_prefix)
    if prefix is not None and state.url_prefix is not None:
        inner["url_prefix"] = _joined(state.url_prefix, prefix)
    elif prefix is not None or state.url_prefix is not None:
        inner["url_prefix"] = _first_given(prefix, state.url_prefix)
    return inner
