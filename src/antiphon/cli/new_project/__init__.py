"""`antiphon new`: a working project with tests, created from the files in this folder."""
