"""An application's handlers as tools for language models, over the Model Context Protocol."""

__reads__ = "anything"
