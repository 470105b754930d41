"""The registry of drawers, a line each: a module of this package that has `load_drawer`, and what it reads."""

from workflow_scripts.common.checkpoint_layout import TEXT_TO_IMAGE

DRAWERS = {
    "diffusers_pipeline": TEXT_TO_IMAGE,
}
"""Layout of the checkpoints that each drawer reads: `TEXT_TO_IMAGE` or `WEIGHTS` of `common.checkpoint_layout`."""
