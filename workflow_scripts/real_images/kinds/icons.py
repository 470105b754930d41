"""Icons of npm's @iconify/json: drawings of about a hundred authors, under natural names, in real styles."""

import re
from collections.abc import Iterator
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal, Self

from pydantic import Field, field_validator

from workflow_scripts.common.constants import REAL_TEST, REAL_TRAIN
from workflow_scripts.common.errors import InputError, errors_of
from workflow_scripts.common.files import digest_of
from workflow_scripts.common.settings import Count, PathText, Text
from workflow_scripts.real_images.icons.package import NAME, VERSION, icon_name, icon_sets, package_folder
from workflow_scripts.real_images.kind import PreparedImages
from workflow_scripts.real_images.settings import RealSource

if TYPE_CHECKING:
    from workflow_scripts.real_images.icons.catalogue import Catalogue
    from workflow_scripts.real_images.prepared import Prepared, PreparedRow

Style = Literal["outline", "solid", "shaded", "colour"]
UNSEEN: Style = "colour"
"""The style that no training picture has: too few authors draw in it, and so it shows what a shift costs."""

_IMAGE_ID = re.compile(r"[\w.-]+:[\w.-]+")

TEST_AUTHORS = (
    "Microsoft Corporation",
    "Goran Spasojevic",
    "Pictogrammers",
    "Icons8",
    "Lucide Contributors",
    "IBM",
    "Family",
    "IconMind",
    "Iconscout",
    "The Bootstrap Authors",
    "Hugeicons",
    "Mozilla",
    "Boxicons",
)


class Icons(PreparedImages):
    """Icons that are called like the classes; training and test pictures are drawn by different authors."""

    kind: Literal["icons"]
    folder: PathText | None = None
    """Folder with npm's package @iconify/json; if null, where `make data` puts it."""
    version: Literal["2.2.535"] = VERSION
    """Version of the package: another one holds other drawings."""
    size: Annotated[int, Field(ge=32, le=512, multiple_of=32)] = 32
    """Height and width in pixels, a multiple of 32."""
    styles: Annotated[tuple[Style, ...], Field(min_length=1)] = ("outline", "solid", "shaded", "colour")
    """Domains of the test pictures, told from the pixels. No training picture has the last one, colour."""
    test_authors: Annotated[tuple[Text, ...], Field(min_length=1)] = TEST_AUTHORS
    """Authors whose drawings are the test pictures, and whom no training sees."""
    at_least: Count = 2
    """Training and test pictures that every class must have, over all styles."""
    other_names: bool = False
    """Whether the table of training pictures holds every other name, too, as a corpus to pretrain on."""
    left_out: PathText | None = None
    """File of pictures that are left out, a name per line, as in `mdi:umbrella`."""

    unprepared: ClassVar[tuple[str, ...]] = ("shards", "styles")

    @field_validator("styles")
    @classmethod
    def _once(cls, styles: tuple[Style, ...]) -> tuple[Style, ...]:
        if len(set(styles)) < len(styles):
            raise ValueError("a style occurs twice")
        return styles

    def domains_of(self, source: RealSource) -> tuple[str, ...]:
        """Return the styles; training pictures have no colour."""
        return tuple(style for style in self.styles if source == REAL_TEST or style != UNSEEN)

    def restricted_to(self, source: RealSource, domain: str) -> Self:
        """Return them in one style."""
        return self.model_copy(update={"styles": (domain,)})

    def prepared_domains(self) -> tuple[str, ...]:
        """Return all styles."""
        styles: tuple[str, ...] = type(self).model_fields["styles"].default
        return styles

    def files_digest(self, source: RealSource, domain: str) -> str:
        """Return a digest of the names and sizes of the sets that are used, and of the list of what is left out."""
        package = package_folder(self._folder)
        sizes = [[prefix, (package / "json" / f"{prefix}.json").stat().st_size] for prefix in icon_sets(package)]
        return digest_of([sizes, sorted(self._ids_left_out())])

    def path_errors(self, classes: tuple[str, ...] | None) -> Iterator[tuple[str, str]]:
        """Yield what is wrong with the package, with the list of what is left out, and names that are one to icons."""
        yield from (("folder", error) for error in errors_of(package_folder, self._folder))
        yield from (("left_out", error) for error in errors_of(self._ids_left_out))
        yield from (("test_authors", error) for error in self._unknown_authors())
        first: dict[str, str] = {}
        for name in classes or ():
            other = first.setdefault(icon_name(name), name)
            if other != name:
                yield "kind", f"the classes {other!r} and {name!r} are one icon; leave one out"

    def _unknown_authors(self) -> Iterator[str]:
        named = [author for author in self.test_authors if author not in TEST_AUTHORS]
        if not named or errors_of(package_folder, self._folder):
            return
        known = {origin.author for origin in icon_sets(package_folder(self._folder)).values()}
        for author in named:
            if author not in known:
                near = ", ".join(get_close_matches(author, sorted(known)))
                yield f"no set is by {author!r} ({f'near it: {near}' if near else 'none is called nearly so'})"

    @property
    def _folder(self) -> Path | None:
        return None if self.folder is None else Path(self.folder)

    def _ids_left_out(self) -> frozenset[str]:
        if self.left_out is None:
            return frozenset()
        try:
            lines = Path(self.left_out).read_text(encoding="utf-8").split("\n")
        except (OSError, ValueError) as error:
            raise InputError(f"{self.left_out}: not readable ({error}); name a text file, an icon per line") from None
        names = [name for line in lines if (name := line.strip())]
        if wrong := [name for name in names if not _IMAGE_ID.fullmatch(name)]:
            raise InputError(f"{self.left_out}: {wrong[0][:80]!r} is no icon; write one per line, as in mdi:umbrella")
        return frozenset(names)

    def prepare(self, classes: tuple[str, ...], *, processes: int) -> "Prepared":
        """Draw the icons and give the pictures that remain: training before test, each class by itself.

        Raises:
            InputError: the package is missing or damaged, or a class has too few pictures.
        """
        from workflow_scripts.real_images.prepared import Prepared

        found = self._catalogue(classes, processes=processes)
        return Prepared(rows=_rows(found), provenance={"package": f"{NAME} {self.version}", "seen": list(found.seen)})

    def _catalogue(self, classes: tuple[str, ...], *, processes: int) -> "Catalogue":
        # Numpy, scipy and the renderer are for the job alone.
        from workflow_scripts.real_images.icons.catalogue import catalogue, draw, read_icons, verify_counts

        names = {icon_name(name) for name in classes}
        authors = frozenset(self.test_authors)
        icons = read_icons(self._folder, names, test_authors=authors, other_names=self.other_names)
        drawings = draw(icons, size=self.size, processes=processes)
        found = catalogue(drawings, classes, test_authors=authors, left_out=self._ids_left_out())
        verify_counts(found, classes, at_least=self.at_least)
        return found


SETTINGS = Icons


def _rows(found: "Catalogue") -> "Iterator[PreparedRow]":
    from workflow_scripts.common.images import encode_png
    from workflow_scripts.real_images.prepared import PreparedRow

    for number, icon in enumerate(found.drawings.icons):
        yield PreparedRow(
            image=encode_png(found.drawings.pixels[number]),
            source=REAL_TEST if found.is_test[number] else REAL_TRAIN,
            domain=str(found.drawings.styles[number]),
            label=int(found.label[number]),
            name=icon.name,
            image_id=icon.image_id,
            collection=icon.origin.title,
            author=icon.origin.author,
            license=icon.origin.license,
        )
