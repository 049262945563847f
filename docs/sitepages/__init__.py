"""What the hooks of the site make pages of."""
