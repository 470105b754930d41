"""The user's own pictures."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, Self

from pydantic import Field

from workflow_scripts.common.constants import REAL_TRAIN
from workflow_scripts.common.errors import errors_of
from workflow_scripts.common.seeds import domainbed_seed
from workflow_scripts.common.settings import Name, PathText
from workflow_scripts.real_images.folders import (
    class_folders,
    folder_errors,
    listing_digest,
    pictures_of,
    validate_folders,
)
from workflow_scripts.real_images.kind import ClassNameOrigin, RealImages
from workflow_scripts.real_images.settings import RealSource

if TYPE_CHECKING:
    from workflow_scripts.real_images.pictures import Pictures


class ImageFolders(RealImages):
    """The user's own pictures: one folder per domain, in it one folder per class."""

    kind: Literal["folder"]
    train: dict[Name, PathText] = Field(default={})
    """Folder of each domain's training pictures (optional)."""
    test: dict[Name, PathText] = Field(default={})
    """Folder of each domain's test pictures (optional)."""
    domainbed_trial_seed: Annotated[int, Field(ge=0)] | None = None
    """If given, trainings hold out DomainBed's random fifth of each domain; if null, the last fifth of each class."""

    def _folders(self, source: RealSource) -> dict[str, str]:
        return self.train if source == REAL_TRAIN else self.test

    def domains_of(self, source: RealSource) -> tuple[str, ...]:
        """Return the domains that have a folder."""
        return tuple(self._folders(source))

    def class_names(self) -> ClassNameOrigin | None:
        """Return the names of the first folder's folders."""
        for role, roots in (("test", self.test), ("train", self.train)):
            for domain, root in roots.items():
                return ClassNameOrigin(f"{role}.{domain}", partial(class_folders, Path(root)))
        return None

    def restricted_to(self, source: RealSource, domain: str) -> Self:
        """Return one folder."""
        kept = {domain: self._folders(source)[domain]}
        train, test = (kept, {}) if source == REAL_TRAIN else ({}, kept)
        return self.model_copy(update={"train": train, "test": test, "domainbed_trial_seed": None})

    def files_digest(self, source: RealSource, domain: str) -> str:
        """Return a digest of the pictures' names and sizes."""
        return listing_digest(Path(self._folders(source)[domain]))

    def split_seed(self, source: RealSource, domain: str) -> int | None:
        """Return DomainBed's seed of a domain of training pictures, if its split was asked for."""
        if self.domainbed_trial_seed is None or source != REAL_TRAIN:
            return None
        return domainbed_seed(self.domainbed_trial_seed, sorted(self.train).index(domain))

    def path_errors(self, classes: tuple[str, ...] | None) -> Iterator[tuple[str, str]]:
        """Yield what is wrong with each folder."""
        seen: set[str] = set()
        for role, roots in (("test", self.test), ("train", self.train)):
            for domain, root in roots.items():
                # Where a domain is left out, training and test folders are the same.
                if root not in seen:
                    seen.add(root)
                    folder = Path(root)
                    errors = errors_of(class_folders, folder) if classes is None else folder_errors(folder, classes)
                    yield from ((f"{role}.{domain}", error) for error in errors)

    def leaks(self) -> Iterator[tuple[str, str]]:
        """Yield the training folders that lie in a test folder, or around one."""
        tested = [Path(folder).resolve() for folder in self.test.values()]
        for domain, folder in self.train.items():
            trained = Path(folder).resolve()
            if any(trained.is_relative_to(other) or other.is_relative_to(trained) for other in tested):
                yield f"train.{domain}", f"{folder!r} shares pictures with a test folder"

    def pictures(self, source: RealSource, domain: str, classes: tuple[str, ...]) -> "Pictures":
        """Return every file of every class, class by class in label order, as it is."""
        import numpy as np

        from workflow_scripts.real_images.pictures import Pictures

        root = Path(self._folders(source)[domain])
        validate_folders(root, classes)
        folders = class_folders(root)
        files = [(label, path) for label, name in enumerate(classes) for path in pictures_of(folders[name])]
        return Pictures(
            labels=np.array([label for label, _ in files], dtype=np.int64),
            image_id=lambda number: f"{domain}/{files[number][1].relative_to(root)}",
            read=lambda block: (files[number][1].read_bytes() for number in block),
            path=lambda number: str(files[number][1]),
        )


SETTINGS = ImageFolders
