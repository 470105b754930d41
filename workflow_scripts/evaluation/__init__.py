"""Per-image scores over the alpha grid, and metrics with intervals."""
