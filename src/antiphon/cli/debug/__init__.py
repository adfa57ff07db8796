"""The debug mode of `antiphon run --debug`: a page that shows errors with the failing code, with secrets masked."""
