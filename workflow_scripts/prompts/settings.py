"""Settings of prompts: the templates that images are generated from, and the sentences of the zero-shot head."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, field_validator

from workflow_scripts.common.settings import Name, PathText, Settings, Text

PLACEHOLDER = "{}"


def _template(text: str) -> str:
    if text.count(PLACEHOLDER) != 1:
        raise ValueError("a template holds {} exactly once, where the class name goes")
    return text


def _file(path: str) -> str:
    if "{" in path or "}" in path:
        raise ValueError("Snakemake would read the braces in this path as wildcards; rename the file or its folder")
    return path


Template = Annotated[Text, AfterValidator(_template)]


class SingleTemplate(Settings):
    """One sentence per class."""

    kind: Literal["single"]
    template: Template = "a photo of a {}."


class TemplateList(Settings):
    """Several sentences per class, averaged in the embedding space."""

    kind: Literal["templates"]
    templates: Annotated[tuple[Template, ...], Field(min_length=1)]


class OpenAITemplates(Settings):
    """The 80 templates of the CLIP paper, as open_clip ships them."""

    kind: Literal["openai-80"]


class Descriptions(Settings):
    """The user's own sentences: a JSON file `{class: [sentences]}` with every class in it."""

    kind: Literal["descriptions"]
    file: Annotated[PathText, AfterValidator(_file)]


Head = Annotated[SingleTemplate | TemplateList | OpenAITemplates | Descriptions, Field(discriminator="kind")]


class Prompts(Settings):
    """What is said about each class, to the text-to-image model and to CLIP."""

    domains: dict[Name, Annotated[tuple[Template, ...], Field(min_length=1)]]
    """Templates of each domain; image i of a class is generated from template i mod n."""
    heads: Annotated[dict[Name, Head], Field(min_length=1)] = Field(default={"default": SingleTemplate(kind="single")})
    """Sentences of each zero-shot head, by name. Methods start from the first one, or from the one that they name."""

    @field_validator("domains")
    @classmethod
    def _some_domain(cls, domains: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
        if not domains:
            raise ValueError("at least one domain is needed")
        return domains


class DomainPromptsJob(Settings):
    """The block of one domain, as the job that writes its prompts reads it."""

    domain: Name
    templates: Annotated[tuple[Template, ...], Field(min_length=1)]


class HeadPromptsJob(Settings):
    """The block of the zero-shot head, as the job that writes its prompts reads it."""

    head: Head
