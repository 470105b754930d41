"""Sampling images with a text-to-image model into parquet shards."""
