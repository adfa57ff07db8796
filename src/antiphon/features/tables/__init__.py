"""Tables made from typed classes: sorted, filtered and shown in pages, by query parameters that are checked."""

__reads__ = "named"
