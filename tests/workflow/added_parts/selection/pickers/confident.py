"""A picker: the alpha at which the classifier is surest on the real test images, whose labels it never gets."""

from typing import TYPE_CHECKING, ClassVar, Literal

from workflow_scripts.common.selection_file import LooksAt
from workflow_scripts.selection.picker import Pick, Picker, highest

if TYPE_CHECKING:
    from workflow_scripts.selection.inputs import SelectionInputs


class Confident(Picker):
    """The alpha of the highest mean confidence."""

    looks_at: ClassVar[tuple[LooksAt, ...]] = ("test-images",)
    criterion: ClassVar[str | None] = "mean confidence on the real test images"

    kind: Literal["confident"]

    def title(self) -> str:
        return "most confident"

    def explanation(self) -> str:
        return "The alpha with the highest mean confidence on the real test images, without a look at their labels."

    def pick(self, inputs: "SelectionInputs") -> Pick:
        import numpy as np

        columns = ("top_logits", "log_sum_exp")
        values = {}
        for alpha in inputs.alphas:
            tables = [inputs.scores(d, alpha=alpha, columns=columns).to_pandas() for d in inputs.test_domains]
            values[alpha] = np.mean(
                [np.exp(table["top_logits"].str[0] - table["log_sum_exp"]).mean() for table in tables]
            )
        return highest(values)


SETTINGS = Confident
