"""Werkzeug's URL routing: maps, rules and converters."""

from antiphon.dialects.werkzeug.routing.converters import (
    AnyConverter,
    BaseConverter,
    FloatConverter,
    IntegerConverter,
    NumberConverter,
    PathConverter,
    UnicodeConverter,
    UUIDConverter,
    ValidationError,
)
from antiphon.dialects.werkzeug.routing.exceptions import (
    BuildError,
    NoMatch,
    RequestAliasRedirect,
    RequestPath,
    RequestRedirect,
    RoutingException,
    WebsocketMismatch,
)
from antiphon.dialects.werkzeug.routing.map import Map, MapAdapter
from antiphon.dialects.werkzeug.routing.matcher import StateMachineMatcher
from antiphon.dialects.werkzeug.routing.rules import (
    EndpointPrefix,
    Rule,
    RuleFactory,
    RuleTemplate,
    RuleTemplateFactory,
    Subdomain,
    Submount,
    parse_converter_args,
    parse_rule,
)

__all__ = [
    "AnyConverter", "BaseConverter", "BuildError", "EndpointPrefix", "FloatConverter", "IntegerConverter", "Map",
    "MapAdapter", "NoMatch", "NumberConverter", "PathConverter", "RequestAliasRedirect", "RequestPath",
    "RequestRedirect", "RoutingException", "Rule", "RuleFactory", "RuleTemplate", "RuleTemplateFactory",
    "StateMachineMatcher", "Subdomain", "Submount", "UUIDConverter", "UnicodeConverter", "ValidationError",
    "WebsocketMismatch", "parse_converter_args", "parse_rule",
]  # fmt: skip
