"""Images whose every pixel is zero: what many pipelines return in place of a picture that they refuse."""

from workflow_scripts.common.image_check import ImageCheck

CHECK = ImageCheck(lambda image: not image.pixels.any())
