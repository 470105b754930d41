"""Drawers, a module each: what reads a checkpoint and draws images with it."""
