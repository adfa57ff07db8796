"""Rules made from other rules: below a path or a subdomain, or with a prefix for their endpoints."""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from antiphon.dialects.werkzeug.routing.map import Map
    from antiphon.dialects.werkzeug.routing.rules import Rule


class RuleFactory:
    """A source of rules for a map: a base class."""

    def get_rules(self, map: "Map") -> Iterable["Rule"]:  # noqa: A002 - its name in Werkzeug
        """Return the rules, not bound to a map."""
        raise NotImplementedError


class _Changed(RuleFactory):
    """Changed copies of rules: a base class."""

    def __init__(self, rules: Iterable[RuleFactory]) -> None:
        self.rules = rules

    def get_rules(self, map: "Map") -> Iterator["Rule"]:  # noqa: A002 - its name in Werkzeug
        """Return a changed copy of each rule."""
        for factory in self.rules:
            for rule in factory.get_rules(map):
                copy = rule.empty()
                self.change(copy)
                yield copy

    def change(self, rule: "Rule") -> None:
        """Change one rule."""
        raise NotImplementedError


class Subdomain(_Changed):
    """Rules on a subdomain, which may have variables: ``Subdomain("<lang>", [Rule("/")])``."""

    def __init__(self, subdomain: str, rules: Iterable[RuleFactory]) -> None:
        super().__init__(rules)
        self.subdomain = subdomain

    def change(self, rule: "Rule") -> None:
        """Set the subdomain."""
        rule.subdomain = self.subdomain


class Submount(_Changed):
    """Rules below a path: ``Submount("/shop", [Rule("/cart")])``."""

    def __init__(self, path: str, rules: Iterable[RuleFactory]) -> None:
        super().__init__(rules)
        self.path = path.rstrip("/")

    def change(self, rule: "Rule") -> None:
        """Put the path in front of the rule's."""
        rule.rule = self.path + rule.rule


class EndpointPrefix(_Changed):
    """Rules with a prefix to their endpoints, which are texts."""

    def __init__(self, prefix: str, rules: Iterable[RuleFactory]) -> None:
        super().__init__(rules)
        self.prefix = prefix

    def change(self, rule: "Rule") -> None:
        """Put the prefix in front of the rule's endpoint."""
        rule.endpoint = self.prefix + rule.endpoint
