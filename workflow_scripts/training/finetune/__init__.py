"""Fine-tuning: the image encoder and the zero-shot head are trained on images, plain or regularized (RegFT)."""
