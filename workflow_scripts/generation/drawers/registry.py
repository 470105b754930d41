"""The registry of drawers, a line each: a module of this package that has a `DRAWER`, and what it reads."""

DRAWERS = {
    "diffusers_pipeline": "text-to-image",
}
"""What a folder holds that each drawer reads: `text-to-image` (a diffusers pipeline) or `weights` (any safetensors)."""
