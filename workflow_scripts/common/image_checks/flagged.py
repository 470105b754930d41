"""What the safety checker of a text-to-image checkpoint flagged; null where there is none."""

from workflow_scripts.common.image_check import ImageCheck

CHECK = ImageCheck(lambda image: image.flagged)
