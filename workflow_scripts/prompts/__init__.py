"""From class names to the prompts that images are drawn from and the prompts of the zero-shot head."""
