"""Settings of the mean of seeds."""

from typing import ClassVar, Literal

from workflow_scripts.common.settings import Name
from workflow_scripts.training.method_settings import Input, Method, OtherRuns


class MeanOfSeeds(Method):
    """Nothing is trained: the fine-tuned endpoints of another method's seeds are averaged."""

    inputs: ClassVar[tuple[Input, ...]] = ()
    has_training_log: ClassVar[bool] = False

    kind: Literal["mean-of-seeds"]
    of: Name
    """The other method."""

    def other_runs(self) -> OtherRuns | None:
        """Return all its seeds."""
        return OtherRuns(self.of, "all")


SETTINGS = MeanOfSeeds
