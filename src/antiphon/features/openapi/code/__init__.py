"""A reader for handlers' code: it follows values and branches without running anything."""
