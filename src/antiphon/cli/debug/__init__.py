"""The debug mode of `antiphon run --debug`: errors answered by a page with the code that failed, and secrets masked."""
