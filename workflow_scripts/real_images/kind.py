"""What a kind of data set says of itself. A kind is a subclass of `RealImages`, in a module of `real_images.kinds`."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal, Self

from pydantic import Field

from workflow_scripts.common.errors import InputError
from workflow_scripts.common.settings import Count, Settings
from workflow_scripts.real_images.settings import RealSource

if TYPE_CHECKING:
    from workflow_scripts.real_images.pictures import Pictures
    from workflow_scripts.real_images.prepared import Prepared

BuiltInDomain = Literal["photo", "negative", "sketch"]
Domains = Annotated[tuple[BuiltInDomain, ...], Field(min_length=1)]


@dataclass(frozen=True)
class ClassNameOrigin:
    """Where a data set's own class names come from: a key below `images` ("": the data set itself), and how."""

    key: str
    read: Callable[[], Iterable[str]]
    """Returns the names in label order; raises InputError."""
    count: int | None = None
    """How many there must be, under whatever names; None if any number is right."""


class RealImages(Settings, ABC):
    """A data set's real pictures. A kind of data set is a subclass in a module of `real_images.kinds`.

    All but `pictures` is asked before any job, and imports nothing heavy.
    """

    kind: str
    shards: Count = 1
    """Files per source and domain."""

    @abstractmethod
    def domains_of(self, source: RealSource) -> tuple[str, ...]:
        """Return the domains of the training or of the test pictures; none if there are no such pictures."""

    @abstractmethod
    def pictures(self, source: RealSource, domain: str, classes: tuple[str, ...]) -> "Pictures":
        """Return the pictures of a source in a domain, in an order that never changes.

        Args:
            source: training or test pictures.
            domain: one of `domains_of(source)`.
            classes: names of the classes, in label order.

        Raises:
            InputError: the pictures cannot be had, or do not fit the class names.
        """

    def class_names(self) -> ClassNameOrigin | None:
        """Return where the names of the classes come from; None if the configuration must give them."""
        return None

    def restricted_to(self, source: RealSource, domain: str) -> Self:
        """Return what the pictures of one source and domain depend on: other keys make none of them again."""
        return self

    def files_digest(self, source: RealSource, domain: str) -> str:
        """Return a digest of the files that the pictures are read from, where these are the user's; "" otherwise."""
        return ""

    def split_seed(self, source: RealSource, domain: str) -> int | None:
        """Return the seed of DomainBed's random held-out fifth; None: the last fifth of each class is held out."""
        return None

    def path_errors(self, classes: tuple[str, ...] | None) -> Iterator[tuple[str, str]]:
        """Yield what is wrong with the files that it names: a key below `images`, and the error.

        Args:
            classes: names of the classes; None if they are not known, since they are refused already.
        """
        yield from ()

    def leaks(self) -> Iterator[tuple[str, str]]:
        """Yield why training on its training pictures would be training on test pictures: a key, and the error."""
        yield from ()


class PreparedImages(RealImages):
    """Pictures that one job prepares, since that is work; shards are cut from its table, corpora are taken from it."""

    unprepared: ClassVar[tuple[str, ...]] = ("shards",)
    """Keys that the table does not depend on."""

    @abstractmethod
    def prepare(self, classes: tuple[str, ...], *, processes: int) -> "Prepared":
        """Return all pictures, training and test, of every domain.

        Args:
            classes: names of the classes, in label order.
            processes: how many processes may work.

        Raises:
            InputError: the pictures cannot be had, or do not fit the class names.
        """

    @abstractmethod
    def prepared_domains(self) -> tuple[str, ...]:
        """Return the domains of the table, whatever domains are measured on."""

    def what_is_prepared(self) -> Self:
        """Return what the table depends on: every other key has its default."""
        fields = type(self).model_fields
        return self.model_copy(update={key: fields[key].default for key in self.unprepared})

    def pictures(self, source: RealSource, domain: str, classes: tuple[str, ...]) -> "Pictures":
        """Refuse: they are read from the table.

        Raises:
            InputError: always.
        """
        raise InputError(f"pictures of kind {self.kind} are prepared by a job of their own")


class InComputedDomains(RealImages):
    """Pictures that are shown in domains which are computed from them (`real_images.domains`)."""

    domains: Domains = ("photo", "negative", "sketch")
    """photo: as it is; negative: inverted; sketch: edges. The same pictures in each."""

    def domains_of(self, source: RealSource) -> tuple[str, ...]:
        """Return the computed domains, of training and test pictures alike."""
        return self.domains

    def restricted_to(self, source: RealSource, domain: str) -> Self:
        """Return them in one domain."""
        return self.model_copy(update={"domains": (domain,)})
