"""What a picker is: settings that choose an alpha. A picker is a subclass of `Picker`, in a module of `pickers`."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

from workflow_scripts.common.selection_file import LooksAt
from workflow_scripts.common.settings import Settings

if TYPE_CHECKING:
    from workflow_scripts.selection.inputs import SelectionInputs


@dataclass(frozen=True)
class Pick:
    """An alpha, None where there was nothing to look at, and the criterion at every alpha that was compared."""

    alpha: str | None
    values: Mapping[str, float] = field(default_factory=dict)


class Picker(Settings, ABC):
    """A rule that chooses one of a run's alphas. All but `pick` is asked before any job, and imports nothing heavy."""

    kind: str
    looks_at: ClassVar[tuple[LooksAt, ...]] = ()
    """What decides: it is given nothing else. With `test-labels` it is an oracle: shown apart, and never a result."""
    criterion: ClassVar[str | None] = None
    """What the values are that it compares; a picker that looks at something must say it."""

    @abstractmethod
    def title(self) -> str:
        """Return why a row of the page's tables shows its alpha, in a few words."""

    @abstractmethod
    def explanation(self) -> str:
        """Return how it chooses, in a sentence or two for the page."""

    @abstractmethod
    def pick(self, inputs: "SelectionInputs") -> Pick:
        """Return one of `inputs.alphas`, which are two or more: of a single one there is nothing to choose."""

    def errors(self, alphas: Sequence[str]) -> Iterator[tuple[str, str]]:
        """Yield which of its keys do not fit the configuration's alphas: a key, and the error."""
        yield from ()


def highest(values: Mapping[str, float]) -> Pick:
    """Return the alpha of the highest value, the smallest of equals; none if there is no value."""
    ordered = sorted(values, key=float)
    return Pick(max(ordered, key=lambda alpha: values[alpha], default=None), values)
