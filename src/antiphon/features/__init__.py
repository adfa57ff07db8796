"""Features for `app.use`: each stands on public names alone, and none knows another."""
