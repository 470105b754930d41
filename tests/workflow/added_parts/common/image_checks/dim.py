"""A check: pictures that are too dark to tell colors."""

from workflow_scripts.common.image_check import ImageCheck

CHECK = ImageCheck(lambda image: bool(image.pixels.mean() < 60))
