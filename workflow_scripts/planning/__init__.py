"""What the Snakefile needs while it is parsed: the whole configuration, code digests and the list of products."""
