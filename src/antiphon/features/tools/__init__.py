"""Handlers of an application as tools for language models, by the Model Context Protocol."""
