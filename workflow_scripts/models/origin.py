"""What a manifest says of where a model pretrained here comes from, and of what it has seen."""

from typing import Any

from workflow_scripts.common.settings import Settings
from workflow_scripts.models.settings import AnyCorpus, PreparedCorpus


def pretrained_origin(settings: Settings, corpus: AnyCorpus, *, images: int) -> dict[str, Any]:
    """Return the origin of a model that was trained here on a corpus."""
    return {
        "kind": "pretrain",
        "settings": settings.model_dump(mode="json"),
        "seen": f"{images} captioned training images of {corpus.dataset} ({_mixture(corpus)}); no test image",
    }


def _mixture(corpus: AnyCorpus) -> str:
    if isinstance(corpus, PreparedCorpus):
        return f"{', '.join(corpus.captions)}; {corpus.class_share:.0%} of the draws show its classes"
    total = sum(corpus.mixture_weights.values())
    return ", ".join(f"{domain} {weight / total:.0%}" for domain, weight in corpus.mixture_weights.items())
