"""Draw SVG documents in a process of their own: one that brings the renderer down takes nothing else along.

Standard input is a JSON object: the documents, and how many pixels high and wide they become. Standard output is one
line of JSON, the error of each document (null if it was drawn), and then the drawn pictures' pixels.
"""

import io
import json
import resource
import sys

import resvg_py
from PIL import Image

MEMORY = 2 << 30
"""Bytes that the process may take: a document that grows without end breaks off there."""
SECONDS = 20
"""Processor seconds for one batch."""


def drawn(svg: str, *, size: int) -> bytes:
    """Return the pixels of a document on white, (size, size, 3) bytes.

    Raises:
        ValueError: it is no SVG.
    """
    png = resvg_py.svg_to_bytes(svg_string=svg, width=size, height=size, background="#ffffff", skip_system_fonts=True)
    with Image.open(io.BytesIO(png), formats=["PNG"]) as picture:
        return picture.convert("RGB").resize((size, size)).tobytes()


def main() -> None:
    """Read the documents, draw them, write errors and pixels."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    batch = json.load(sys.stdin)
    errors: list[str | None] = []
    pixels: list[bytes] = []
    for svg in batch["documents"]:
        try:
            pixels.append(drawn(svg, size=batch["size"]))
            errors.append(None)
        except ValueError as error:
            errors.append(str(error))
    sys.stdout.buffer.write(json.dumps(errors).encode() + b"\n" + b"".join(pixels))


if __name__ == "__main__":
    main()
