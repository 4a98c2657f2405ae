"""Show that other processors compute the same."""
