"""An alpha that the configuration states."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Literal

from workflow_scripts.common.settings import Alpha
from workflow_scripts.selection.picker import Pick, Picker

if TYPE_CHECKING:
    from workflow_scripts.selection.inputs import SelectionInputs


class Fixed(Picker):
    """The alpha that is stated here: chosen beforehand, on nothing."""

    kind: Literal["fixed"]
    alpha: Alpha = "0.50"
    """One of `alphas`."""

    def title(self) -> str:
        """Return that it was chosen before anything was measured."""
        return "fixed beforehand"

    def explanation(self) -> str:
        """Return that nothing was looked at."""
        return f"Alpha {self.alpha}, as the configuration states it: no picture and no number of this report chose it."

    def pick(self, inputs: "SelectionInputs") -> Pick:
        """Return the stated alpha."""
        return Pick(self.alpha)

    def errors(self, alphas: Sequence[str]) -> Iterator[tuple[str, str]]:
        """Yield that the alpha is none that is scored."""
        if self.alpha not in alphas:
            yield "alpha", f"{self.alpha!r} is not one of alphas"


SETTINGS = Fixed
