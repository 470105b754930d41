"""Settings of VL2V-SD (arXiv 2310.08255). Defaults are the paper's and its release's."""

from typing import Literal

from workflow_scripts.training.domainbed.settings import Phase
from workflow_scripts.training.vl2v.settings import Vl2v


class Vl2vSd(Vl2v):
    """VL2V-SD, white box: CLIP's image encoder learns from its own frozen copy and from text embeddings."""

    kind: Literal["vl2v-sd"]
    training: Phase = Phase()


SETTINGS = Vl2vSd
