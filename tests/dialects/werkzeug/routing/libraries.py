"""Both libraries, for examples that hold for either."""

import werkzeug.routing

from antiphon.dialects.werkzeug import routing
from tests.helpers.rows import rows

EITHER = rows("library", [werkzeug.routing, routing], ids=["werkzeug", "antiphon"])
"""Werkzeug's routing, which shows that the expectation is right, and the dialect's."""
