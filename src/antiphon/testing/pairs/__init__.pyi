from antiphon.testing.pairs.programs import Feature, Option, Route, Sign

__all__ = ["Feature", "Option", "Route", "Sign"]
