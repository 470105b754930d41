"""VL2V-SD: CLIP's image encoder learns from its own frozen copy and from text embeddings."""
