"""From class names to the prompts that images are generated from and the prompts of the zero-shot head."""
