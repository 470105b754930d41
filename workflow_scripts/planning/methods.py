"""Methods of all kinds, and the names that leave-one-domain-out expands them into."""

from collections.abc import Sequence
from typing import Annotated

from pydantic import Field

from workflow_scripts.common.constants import WITHOUT
from workflow_scripts.training.finetune_settings import Finetune
from workflow_scripts.training.ogen.settings import Ogen
from workflow_scripts.training.vl2v.settings import Vl2vAdip, Vl2vSd

AnyMethod = Annotated[Finetune | Ogen | Vl2vSd | Vl2vAdip, Field(discriminator="kind")]


def expanded(name: str, method: AnyMethod, targets: Sequence[str]) -> tuple[str, ...]:
    """Return the names that a method runs under: its own, or one per domain that is left out in turn."""
    if not method.leave_one_domain_out:
        return (name,)
    return tuple(f"{name}{WITHOUT}{target}" for target in targets)


def parse_run_name(name: str) -> tuple[str, str | None]:
    """Return a method's name in the configuration, and the domain that it is trained without, if any."""
    plain, mark, target = name.partition(WITHOUT)
    return plain, target if mark else None


def trains_encoder(method: AnyMethod) -> bool:
    """Return whether an image encoder is among a method's artifacts; OGEN writes a head alone."""
    return not isinstance(method, Ogen)


def has_pretrained_endpoint(method: AnyMethod) -> bool:
    """Return whether there is a pre-trained endpoint to average with; a student has none in its teacher's space."""
    return not isinstance(method, Vl2vAdip)
