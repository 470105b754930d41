"""The base class of all settings, and the types that several stages' settings share."""

import json
import os
import re
from collections.abc import Iterable, Sequence
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    StringConstraints,
    ValidationError,
)

from workflow_scripts.common.bundled import located, portable
from workflow_scripts.common.errors import InputError
from workflow_scripts.common.files import canonical_json
from workflow_scripts.common.texts import MAX_TEXT_LENGTH, dotted, hidden_characters, one_line, shortened

MAX_SETTINGS_BYTES = 64_000
"""Longest settings that a rule may put on a command line; an argument list breaks at about 140 kB."""


def matching(pattern: str, words: str) -> BeforeValidator:
    """Return a validator that says in words what a pattern asks for; the pattern itself stands in the schema."""

    def validate(value: Any) -> Any:
        if isinstance(value, str) and re.fullmatch(pattern, value) is None:
            raise ValueError(words)
        return value

    return BeforeValidator(validate)


_NAME = r"^[A-Za-z0-9][A-Za-z0-9._-]*$"
_ALPHA = r"^[0-9]\.[0-9]{2,6}$"

Name = Annotated[
    str,
    StringConstraints(pattern=_NAME, max_length=100),
    matching(_NAME, "a name is made of letters, digits, dots, underscores and hyphens, and starts with no mark"),
]
"""A name that is also a folder: letters, digits, dot, underscore and hyphen, not starting with a mark."""


def _visible(text: str) -> str:
    if hidden := hidden_characters(text):
        raise ValueError(f"holds control characters ({', '.join(hidden)})")
    return text


Text = Annotated[str, StringConstraints(min_length=1, max_length=MAX_TEXT_LENGTH), AfterValidator(_visible)]
"""A sentence or a title: anything that shows, on one line."""


def _expanded(path: str) -> str:
    # Path.expanduser would raise where nobody has that name, and write the path in another way.
    return located(os.path.expanduser(path))  # noqa: PTH111


PathText = Annotated[Text, AfterValidator(_expanded), PlainSerializer(portable)]
"""A path of a file or folder; `~` and `~name` at its start become a home folder, if there is such a user, and
`nameonly:` the folder of the Snakefile."""

Precision = Literal["fp32", "bf16"]


def _alpha(text: str) -> str:
    if not 0.0 <= float(text) <= 1.0:
        raise ValueError("an alpha lies between 0 and 1")
    return text


Alpha = Annotated[
    str,
    StringConstraints(pattern=_ALPHA),
    AfterValidator(_alpha),
    matching(_ALPHA, 'an alpha is written with two to six decimals, as in "0.50"'),
]
"""A weight of the fine-tuned endpoint, as the text that names its files: "0.00" ... "1.00"."""


def is_alpha(text: str) -> bool:
    """Return whether a text is written as an alpha is."""
    return re.fullmatch(_ALPHA, text) is not None


Fraction = Annotated[float, Field(ge=0.0, le=1.0)]
Positive = Annotated[float, Field(gt=0.0)]
NonNegative = Annotated[float, Field(ge=0.0)]
Count = Annotated[int, Field(ge=1, lt=2**31)]
Seed = Annotated[int, Field(ge=0, lt=2**31)]


class Settings(BaseModel):
    """Frozen settings: unknown keys and values of another type are errors."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, allow_inf_nan=False, use_attribute_docstrings=True
    )

    def canonical(self) -> str:
        """Return the canonical JSON of these settings, which names them and travels to a job.

        Raises:
            InputError: the JSON is longer than `MAX_SETTINGS_BYTES`.
        """
        text = canonical_json(self.model_dump(mode="json"))
        if len(text.encode()) > MAX_SETTINGS_BYTES:
            raise InputError(
                f"settings of {len(text.encode())} bytes are too long for a command line "
                f"(at most {MAX_SETTINGS_BYTES}): put long lists into a file"
            )
        return text

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read settings from JSON.

        Raises:
            InputError: a key is unknown or a value does not fit; every error is named.
        """
        try:
            return cls.model_validate_json(text)
        except ValidationError as error:
            raise InputError("; ".join(error_lines(error, text))) from None


def error_lines(error: ValidationError, text: str) -> list[str]:
    """Return one line per error of some JSON: the key, what is wrong, and the value that was given."""
    try:
        whole = json.loads(text)
    except ValueError:
        whole = None
    items = error.errors(include_url=False)
    return [one_line(line) for item in items if not _follows(item, items) for line in _errors(item, whole)]


def text_keys(error: ValidationError, text: str) -> list[str]:
    """Return the dotted keys of some JSON that were refused because a text belongs there."""
    whole = json.loads(text)
    items = error.errors(include_url=False)
    return [_key(item["loc"], whole) for item in items if item["type"] in ("string_type", "literal_error")]


def _follows(item: Any, items: Iterable[Any]) -> bool:
    # A list whose every entry was refused is called too short as well, which is no error of its own.
    depth = len(item["loc"])
    return item["type"] == "too_short" and any(
        len(other["loc"]) > depth and other["loc"][:depth] == item["loc"] for other in items
    )


def _key(location: Sequence[int | str], whole: Any) -> str:
    # Between the keys pydantic names the kind that it chose, as in methods.plain.finetune.epochs: nobody wrote that.
    parts, here = [], whole
    for number, part in enumerate(location):
        if isinstance(here, dict) and part == here.get("kind"):
            # A kind may have a key of its own name.
            following = location[number + 1] if number + 1 < len(location) else None
            if part not in here or following in here:
                continue
        if isinstance(part, str) and "[" in part and not (isinstance(here, dict) and part in here):
            # The member of a union, as in base_classes.tuple[str, ...].0.
            continue
        parts.append(part)
        known = isinstance(here, dict) and part in here
        listed = isinstance(here, list) and isinstance(part, int) and part < len(here)
        here = here[part] if known or listed else None
    return dotted(parts)


def _errors(item: Any, whole: Any) -> list[str]:
    key = _key(item["loc"], whole)
    message = str(item["msg"]).removeprefix("Value error, ")
    if not item["loc"]:
        # Raised by a validator of the whole: every line of the message already names its key.
        return message.split("\n") if item["type"] == "value_error" else [f"settings: {message}"]
    if item["type"] == "extra_forbidden":
        return [f"{key}: unknown key"]
    if item["type"] == "missing":
        return [f"{key}: missing"]
    if item["type"] == "union_tag_not_found":
        return [f"{key}.kind: missing"]
    if item["type"] == "union_tag_invalid":
        tag, known = item["ctx"]["tag"], item["ctx"]["expected_tags"]
        return [f"{key}.kind: {shortened(repr(tag))} is not one of {known}"]
    if item["type"] == "string_type" and isinstance(item["input"], int | float):
        # YAML reads 0.50 as a number.
        message += ", in quotes"
    # A block was given where its keys do not fit each other, which the message names.
    given = "" if item["type"] == "value_error" and isinstance(item["input"], dict) else repr(item["input"])
    return [f"{key}: {message}{given and f' (given: {shortened(given)})'}".replace("\n", " ")]
