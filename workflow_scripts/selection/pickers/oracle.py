"""The alpha that is best on the real test images: what no honest picker can beat."""

from typing import TYPE_CHECKING, ClassVar, Literal

from workflow_scripts.common.selection_file import LooksAt
from workflow_scripts.selection.picker import Pick, Picker, highest

if TYPE_CHECKING:
    from workflow_scripts.selection.inputs import SelectionInputs


class Oracle(Picker):
    """The alpha with the best top-1 accuracy on the real test images (the mean of their domains)."""

    looks_at: ClassVar[tuple[LooksAt, ...]] = ("test-labels",)
    criterion: ClassVar[str | None] = "top-1 accuracy on the real test images (the mean of their domains)"

    kind: Literal["oracle"]

    def title(self) -> str:
        """Return what it is."""
        return "oracle, chosen on test images"

    def explanation(self) -> str:
        """Return that it looked at the answers."""
        return (
            "The alpha with the best top-1 accuracy on the real test images (the mean of their domains), for each run "
            "by itself. It looked at the answers: an upper bound of this accuracy, never a result."
        )

    def pick(self, inputs: "SelectionInputs") -> Pick:
        """Return the best alpha, the smallest of equals; none without real test images."""
        return highest(inputs.accuracy_on_test_images())


SETTINGS = Oracle
