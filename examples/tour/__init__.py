"""A tour of what Antiphon does, as a small site: `antiphon run examples.tour:app`."""

from examples.tour.app import app

__all__ = ["app"]
