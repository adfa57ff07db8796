"""The `antiphon` command. Nothing else in the package imports it."""
