"""nameonly: from class names alone to an image classifier, one sub-package per stage of the workflow."""
