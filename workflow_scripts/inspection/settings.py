"""Settings of inspections."""

from workflow_scripts.common.settings import Count, Name, Settings


class InspectionJob(Settings):
    """What the job that inspects the pictures of one domain needs to know."""

    source: Name
    """Where they come from: only drawn pictures can be copies."""
    batch_size: Count = 256
