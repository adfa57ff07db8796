"""What Antiphon is for, in five minutes: `antiphon run --debug examples.tour:app`."""

from examples.tour.app import app

__all__ = ["app"]
