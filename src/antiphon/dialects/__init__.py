"""Other libraries' ways of speaking HTTP over the layers below: their names and habits, and no parser of their own."""
