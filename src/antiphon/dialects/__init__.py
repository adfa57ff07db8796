"""Other libraries' ways of speaking HTTP, over the layers below: their names and their habits, no parser of their own."""
