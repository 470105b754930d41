"""VL2V-ADiP: a student is aligned with a teacher's embeddings, then distilled, and predicts with text."""
