"""Checkpoints: embedded training of small models, and hub or local checkpoints with their manifests."""
