"""Image folders: which folder is which class, which files are pictures, and what a listing amounts to."""

from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote, unquote

from workflow_scripts.common.errors import InputError, errors_of
from workflow_scripts.common.files import digest_of, folder_entries

SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff"})

_UNSAFE = "/\\\0%"


def folder_of(class_name: str) -> str:
    """Return the folder name of a class: the name itself, with slashes, backslashes and per cent signs as %XX."""
    name = "".join(quote(ch, safe="") if ch in _UNSAFE else ch for ch in class_name)
    return f"%2E{name[1:]}" if name.startswith(".") else name


def class_of(folder: str) -> str:
    """Return the class name that a folder name stands for, the inverse of `folder_of`; underscores are blanks."""
    return unquote(folder).replace("_", " ")


def class_folders(root: Path) -> dict[str, Path]:
    """Return the class folders of one domain by class name, sorted by folder name.

    Raises:
        InputError: the folder is missing, may not be read or has no folder in it, or two of them stand for one class.
    """
    content = "one folder of pictures per class"
    entries = [
        path for path in folder_entries(root, content=content) if path.is_dir() and not path.name.startswith(".")
    ]
    folders: dict[str, Path] = {}
    for entry in entries:
        name = class_of(entry.name)
        if name in folders:
            raise InputError(f"{entry}: stands for class {name!r} like {folders[name]}; keep one of them")
        folders[name] = entry
    if not folders:
        raise InputError(f"{root}: holds no folder; it should hold {content}")
    return folders


def pictures_of(folder: Path) -> list[Path]:
    """Return the picture files below a class folder, sorted."""
    return sorted(path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES and path.is_file())


def validate_folders(root: Path, classes: Sequence[str]) -> None:
    """Check that every class has a folder with a picture in it.

    Raises:
        InputError: as `folder_errors`, the first five.
    """
    if errors := folder_errors(root, classes):
        lines = [error.removeprefix(f"{root}: ") for error in errors]
        raise InputError(f"{root}: " + "; ".join(lines[:5]) + ("; ..." if len(lines) > 5 else ""))


def folder_errors(root: Path, classes: Sequence[str]) -> list[str]:
    """Return a line per error of a domain's folder.

    These are: it is missing or may not be read, a class has no folder or an empty one, a folder is no class, or a
    picture's name is no UTF-8.
    """
    try:
        folders = class_folders(root)
    except InputError as error:
        return [str(error)]
    errors = [f"no folder for class {name!r} (expected {folder_of(name)!r})" for name in classes if name not in folders]
    errors += [f"folder {path.name!r} is no class" for name, path in folders.items() if name not in classes]
    for name in classes:
        if name in folders:
            errors += _picture_errors(folders[name])
    return [f"{root}: {error}" for error in errors]


def _picture_errors(folder: Path) -> list[str]:
    # pictures_of passes over what it may not read, as if nothing were there.
    if errors_of(folder_entries, folder, content="pictures"):
        return [f"folder {folder.name!r} may not be read: check its permissions"]
    pictures = pictures_of(folder)
    if not pictures:
        return [f"folder {folder.name!r} holds no picture"]
    return [f"the name {path.name!r} is no UTF-8: rename it" for path in pictures if not _is_text(path)]


def _is_text(path: Path) -> bool:
    # Bytes that are no UTF-8 become halves of characters, which neither a table nor a digest can hold.
    return not any("\ud800" <= ch <= "\udfff" for ch in str(path))


def listing_digest(root: Path) -> str:
    """Return a digest of the relative names and sizes of all pictures below a folder; times do not count."""
    return digest_of([[str(path.relative_to(root)), path.stat().st_size] for path in pictures_of(root)])
