"""Put npm's package @iconify/json where data sets of kind `icons` look for it: what `make data` runs.

It comes through npm, whose own settings (a mirror, a proxy) then hold; else from the registry's public addresses; else
through Debian's npm, which is installed where that may be done. Whatever way, it is the archive of one sha512, and only
the sets that may be used are unpacked.
"""

import argparse
import base64
import hashlib
import logging
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import urllib.request
from collections.abc import Callable, Iterator
from email.message import Message
from pathlib import Path

from workflow_scripts.common.errors import InputError, errors_of
from workflow_scripts.common.logs import progress, start_logging
from workflow_scripts.real_images.icons.package import NAME, VERSION, default_folder, icon_sets, package_folder

logger = logging.getLogger(__name__)

INTEGRITY = "nAV60ACUSHwnsb6fsp+letHlNkrwO4vzBtcC6B4EDHErQQfezk7E3nJdnwJjve6OCfMNO0uVT5Vrgna9/NCmXw=="
"""The archive's sha512 in base64, as the npm registry gives it."""
ADDRESSES = (
    f"https://registry.npmjs.org/{NAME}/-/json-{VERSION}.tgz",
    f"https://registry.yarnpkg.com/{NAME}/-/json-{VERSION}.tgz",
    f"https://registry.npmmirror.com/{NAME}/-/json-{VERSION}.tgz",
)
_SECONDS = 600
_BLOCK = 1 << 20
_UNREADABLE = (OSError, EOFError, tarfile.TarError)

Source = Callable[[Path], Path]
"""Fetches the archive into a folder and returns its path; raises InputError where it cannot."""


def install(target: Path) -> None:
    """Fetch the package, compare it with its digest, and unpack what is used.

    Args:
        target: folder that receives it, whole or not at all.

    Raises:
        InputError: no source has it; each says why. Or the folder holds something else.
    """
    if target.is_dir() and any(target.iterdir()) and not (target / "collections.json").is_file():
        raise InputError(f"{target}: holds something else; name another folder")
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=f".{target.name}.") as folder:
        scratch = Path(folder)
        unpack(fetched(scratch), scratch / "unpacked")
        if target.exists():
            # Empty, or a package that is not whole: `package_folder` has just refused it.
            shutil.rmtree(target)
        (scratch / "unpacked" / "package").replace(target)


def fetched(scratch: Path) -> Path:
    """Return the archive from the first source that has the right one.

    Raises:
        InputError: none has it.
    """
    failures = []
    for words, source in _sources():
        try:
            archive = source(scratch)
            verify(archive)
        except InputError as error:
            failures.append(f"{words}: {error}")
        else:
            logger.info("%s %s comes from %s", NAME, VERSION, words)
            return archive
    raise InputError(
        f"npm's {NAME} {VERSION} cannot be had ({'; '.join(failures)}): name a folder with it in "
        "datasets.<name>.images.folder, or take the preset presets/fashion-mnist.yaml"
    )


def _sources() -> Iterator[tuple[str, Source]]:
    yield "npm", _through_npm
    for address in ADDRESSES:
        yield address.split("/")[2], lambda scratch, address=address: _downloaded(address, scratch)  # type: ignore[misc]
    yield "Debian's npm", _through_debians_npm


def _through_npm(scratch: Path) -> Path:
    npm = shutil.which("npm")
    if npm is None:
        raise InputError("not installed")
    _called([npm, "pack", f"{NAME}@{VERSION}", "--silent", "--pack-destination", str(scratch)])
    return scratch / f"iconify-json-{VERSION}.tgz"


def _through_debians_npm(scratch: Path) -> Path:
    apt = shutil.which("apt-get")
    if apt is None or os.geteuid() != 0 or shutil.which("npm") is not None:
        raise InputError("cannot be installed here")
    _called([apt, "install", "--yes", "--quiet", "--no-install-recommends", "npm"])
    return _through_npm(scratch)


def _called(command: list[str]) -> None:
    try:
        subprocess.run(command, capture_output=True, text=True, check=True, timeout=_SECONDS)
    except subprocess.CalledProcessError as error:
        said = [line for line in f"{error.stderr}\n{error.stdout}".splitlines() if line.strip()]
        raise InputError(said[0] if said else f"exit code {error.returncode}") from None
    except (OSError, subprocess.TimeoutExpired) as error:
        raise InputError(str(error)) from None


def _downloaded(address: str, scratch: Path) -> Path:
    archive = scratch / "downloaded.tgz"
    try:
        with urllib.request.urlopen(address, timeout=30) as answer, archive.open("wb") as stream:
            blocks = iter(lambda: answer.read(_BLOCK), b"")
            for block in progress(blocks, what="downloading icons (MB)", total=_megabytes(answer.headers)):
                stream.write(block)
    except OSError as error:
        raise InputError(str(error)) from None
    return archive


def _megabytes(headers: Message) -> int | None:
    size = headers.get("Content-Length", "")
    return int(size) // _BLOCK if size.isdecimal() else None


def verify(archive: Path) -> None:
    """Compare an archive with the digest that the registry gives.

    Raises:
        InputError: it is another one, or cut short.
    """
    digest = hashlib.sha512()
    try:
        with archive.open("rb") as stream:
            while block := stream.read(_BLOCK):
                digest.update(block)
    except OSError as error:
        raise InputError(str(error)) from None
    if base64.b64encode(digest.digest()).decode() != INTEGRITY:
        raise InputError("gave another archive, or one that is cut short")


def unpack(archive: Path, folder: Path) -> None:
    """Unpack what is used of an archive: what the package says of itself, and the sets that may be used.

    Raises:
        InputError: it cannot be read.
    """
    try:
        with tarfile.open(archive) as content:
            for name in ("package.json", "collections.json"):
                content.extract(f"package/{name}", folder, filter="data")
            for prefix in progress(icon_sets(folder / "package"), what="unpacking icon sets"):
                content.extract(f"package/json/{prefix}.json", folder, filter="data")
    except (*_UNREADABLE, KeyError) as error:
        raise InputError(f"{archive}: cannot be unpacked ({error})") from None


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, default=default_folder(), help="folder that receives the package")
    options = parser.parse_args()
    start_logging(None)
    if not errors_of(package_folder, options.folder):
        logger.info("%s %s is in %s", NAME, VERSION, options.folder)
        return
    try:
        install(options.folder)
    except InputError as error:
        logger.error("%s", error)
        sys.exit(1)
    logger.info("%s %s is in %s now", NAME, VERSION, options.folder)


if __name__ == "__main__":
    main()
