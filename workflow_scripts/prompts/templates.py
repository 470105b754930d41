"""From class names and templates to sentences."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

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


def _described(path: Path, classes: Sequence[str]) -> list[list[str]]:
    try:
        content = json.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        raise InputError(f"{path}: missing; it should hold descriptions as {{class: [sentences]}}") from None
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(f"{path}: not readable JSON ({error})") from None
    if not isinstance(content, dict):
        raise InputError(f"{path}: descriptions are one object {{class: [sentences]}}")
    known = {name.replace("_", " "): sentences for name, sentences in content.items()}
    missing = [name for name in classes if not _is_description(known.get(name))]
    if missing:
        raise InputError(f"{path}: no list of sentences for {', '.join(repr(name) for name in missing[:5])}")
    _validate_sentences(path, {name: known[name] for name in classes})
    return [known[name] for name in classes]


def _validate_sentences(path: Path, known: Mapping[str, Sequence[str]]) -> None:
    for name, sentences in known.items():
        for number, sentence in enumerate(sentences, start=1):
            if hidden := hidden_characters(sentence):
                raise InputError(
                    f"{path}: sentence {number} of {name!r} holds control characters ({', '.join(hidden)})"
                )
            if len(sentence) > MAX_TEXT_LENGTH:
                raise InputError(
                    f"{path}: sentence {number} of {name!r} has {len(sentence)} characters, "
                    f"at most {MAX_TEXT_LENGTH} are allowed"
                )


def _is_description(value: object) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(item, str) and item.strip() for item in value)
