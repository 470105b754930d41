"""The registry of image checks, a line each: a module of this package that has a `CHECK`."""

CHECKS = (
    "flagged",
    "black",
)
"""Columns of every shard of generated images: true where the check found something, null where it cannot say."""
