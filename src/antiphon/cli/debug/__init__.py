"""The debug mode of `antiphon run --debug`: errors shown on a page with the code that failed, and secrets masked."""
