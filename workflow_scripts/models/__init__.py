"""Checkpoints: small ones pretrained here, and those of a hub or a folder, with their manifests."""
