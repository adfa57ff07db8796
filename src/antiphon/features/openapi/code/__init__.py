"""A reader of the code of handlers: it follows values and branches without running anything."""
