"""From class names and templates to sentences."""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from workflow_scripts.common.errors import InputError
from workflow_scripts.common.texts import MAX_TEXT_LENGTH, hidden_characters
from workflow_scripts.prompts.settings import PLACEHOLDER, Descriptions, Head, SingleTemplate, TemplateList


def fill(template: str, class_name: str) -> str:
    """Put a class name where the template says; braces in the name mean nothing."""
    return template.replace(PLACEHOLDER, class_name)


def head_sentences(head: Head, classes: Sequence[str]) -> list[list[str]]:
    """Return the sentences of each class, in label order.

    Raises:
        InputError: the file of descriptions does not cover the classes.
    """
    if isinstance(head, Descriptions):
        return _described(Path(head.file), classes)
    if isinstance(head, SingleTemplate):
        return [[fill(head.template, name)] for name in classes]
    if isinstance(head, TemplateList):
        return [[fill(template, name) for template in head.templates] for name in classes]
    # open_clip imports torch: seconds that only this choice should cost.
    from open_clip import OPENAI_IMAGENET_TEMPLATES

    return [[template(name) for template in OPENAI_IMAGENET_TEMPLATES] for name in classes]


def description_errors(path: Path, classes: Sequence[str]) -> list[str]:
    """Return a line per error of a file of descriptions: not readable, a class left out, a sentence that is refused."""
    try:
        known = _read_descriptions(path)
    except InputError as error:
        return [str(error)]
    return [f"{path}: {error}" for error in _class_errors(known, classes)]


def _described(path: Path, classes: Sequence[str]) -> list[list[str]]:
    known = _read_descriptions(path)
    if errors := list(_class_errors(known, classes)):
        raise InputError(f"{path}: " + "; ".join(errors[:5]) + ("; ..." if len(errors) > 5 else ""))
    return [known[name] for name in classes]


def _read_descriptions(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        raise InputError(f"{path}: missing; it should hold descriptions as {{class: [sentences]}}") from None
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(f"{path}: not readable JSON ({error})") from None
    if not isinstance(content, dict):
        raise InputError(f"{path}: descriptions are one object {{class: [sentences]}}")
    return {name.replace("_", " "): sentences for name, sentences in content.items()}


def _class_errors(known: Mapping[str, Any], classes: Sequence[str]) -> Iterator[str]:
    for name in classes:
        if not _is_description(known.get(name)):
            yield f"no list of sentences for {name!r}"
            continue
        for number, sentence in enumerate(known[name], start=1):
            key = f"sentence {number} of {name!r}"
            if hidden := hidden_characters(sentence):
                yield f"{key} holds control characters ({', '.join(hidden)})"
            if len(sentence) > MAX_TEXT_LENGTH:
                yield f"{key} has {len(sentence)} characters, at most {MAX_TEXT_LENGTH} are allowed"


def _is_description(value: object) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(item, str) and item.strip() for item in value)
