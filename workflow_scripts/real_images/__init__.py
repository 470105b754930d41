"""Real data sets and image folders, written in the same shards as generated images."""
