"""Zero-shot heads and fine-tuning of CLIP image encoders."""
