"""Picking alpha: which weight of the fine-tuned endpoint counts, and what the choice looked at."""
