"""The cards of the tour: each file is what its card shows, and what runs."""
