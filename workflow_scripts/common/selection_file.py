"""The file of a run's selection: which alpha each picker chose, what it looked at, and why."""

from pathlib import Path
from typing import Literal, Self

from pydantic import model_validator

from workflow_scripts.common.errors import InputError
from workflow_scripts.common.settings import Alpha, Name, Seed, Settings, Text

LooksAt = Literal["held-out", "test-images", "test-labels"]
"""The held-out training images with their labels; the real test images without theirs; and with them."""


class Choice(Settings):
    """What one picker chose for one run."""

    picker: Name
    """Its name in the configuration."""
    title: Text
    """Why a row of a table shows this alpha, in a few words."""
    explanation: Text
    """How the picker chooses, in a sentence or two."""
    looked_at: tuple[LooksAt, ...]
    """What it was given; nothing if the choice was made beforehand, or there was none to make."""
    criterion: Text | None
    """What `values` are, if it compared any."""
    values: dict[Alpha, float]
    """The criterion at every alpha at which it has one."""
    alpha: Alpha | None
    """Its choice; None if there was nothing to look at."""

    @property
    def oracle(self) -> bool:
        """Return whether the choice looked at the answers: an upper bound, never a result."""
        return "test-labels" in self.looked_at


class Selection(Settings):
    """The choices of all pickers for one run, the one that counts first."""

    dataset: Name
    source: Name
    clip: Name
    method: Name
    seed: Seed
    alphas: tuple[Alpha, ...]
    """Alphas that the run was scored at."""
    choices: tuple[Choice, ...]

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        names = [choice.picker for choice in self.choices]
        if len(set(names)) < len(names):
            raise ValueError(f"choices: {', '.join(names)} are not one choice per picker")
        for choice in self.choices:
            for alpha in (*choice.values, *([] if choice.alpha is None else [choice.alpha])):
                if alpha not in self.alphas:
                    raise ValueError(f"choices: {alpha} of {choice.picker!r} is not one of alphas")
        return self


def read_selection(path: Path) -> Selection:
    """Read the selection of a run.

    Raises:
        InputError: the file is missing or is no selection.
    """
    try:
        return Selection.parse(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, InputError) as error:
        raise InputError(f"{path}: not a readable selection ({error}); delete it and run snakemake again") from None


def chosen_by(picker: str, selection: Selection) -> Choice:
    """Return what a picker chose.

    Raises:
        InputError: the selection has no such picker.
    """
    for choice in selection.choices:
        if choice.picker == picker:
            return choice
    known = ", ".join(choice.picker for choice in selection.choices)
    raise InputError(f"{picker!r} is neither an alpha nor a picker of the selection (pickers: {known})")
