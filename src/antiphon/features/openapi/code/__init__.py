"""A reader of handlers' code, which follows values and branches without running anything."""
