"""VL2V-SD: self-distillation of CLIP's image encoder towards text embeddings, near its own frozen copy."""

import copy
from pathlib import Path
from typing import Any

import torch

from workflow_scripts.common.artifacts import load_head, save_head
from workflow_scripts.common.clip import load_clip
from workflow_scripts.common.encoders import encoder_metadata, save_encoder
from workflow_scripts.common.run_files import ENCODER, HEAD
from workflow_scripts.training.averagers import averager_of
from workflow_scripts.training.domainbed.sampling import phase_schedule
from workflow_scripts.training.image_selection import load_seen_images
from workflow_scripts.training.job import Training, TrainingInputs, TrainingPhase, training_main
from workflow_scripts.training.method_settings import TrainingJob
from workflow_scripts.training.vl2v.task import Vl2vTask
from workflow_scripts.training.vl2v.teacher import EncoderTeacher
from workflow_scripts.training.vl2v_sd.settings import Vl2vSd


def build(job: TrainingJob[Vl2vSd], inputs: TrainingInputs) -> Training:
    """Put the encoder beside its frozen copy; it is written with the zero-shot head as it was."""
    settings = job.method
    zero_shot = load_head(inputs.zero_shot_head)
    head = zero_shot.endpoints["pretrained"]
    clip = load_clip(inputs.clip, device=inputs.device)
    preprocessing = clip.preprocessing.of_kind(settings.preprocessing)
    seen = load_seen_images(
        inputs.images, job, preprocessing=preprocessing, threads=inputs.threads, classes=zero_shot.classes
    )
    task = Vl2vTask(
        model=clip.visual,
        settings=settings,
        seed=job.seed,
        seen=seen,
        head=head["weight"].to(inputs.device),
        preprocessing=preprocessing,
        teacher=EncoderTeacher(copy.deepcopy(clip.visual).requires_grad_(False), preprocessing),
        device=inputs.device,
    )
    phase = TrainingPhase(
        task=task,
        schedule=phase_schedule(
            settings.training,
            seen.training,
            per_domain=settings.batch_per_domain,
            seed=job.seed,
            name="self-distillation",
        ),
        optimizer=torch.optim.Adam(task.model.parameters(), lr=settings.training.learning_rate, fused=True),
        averager=averager_of(settings.averaging),
    )

    def save(folder: Path, identity: dict[str, Any]) -> None:
        encoder = task.model.state_dict()
        save_encoder(folder / ENCODER, encoder, metadata=encoder_metadata(preprocessing), identity=identity)
        save_head(folder / HEAD, {"pretrained": head}, classes=zero_shot.classes)

    return Training(phases=[phase], save=save, seen=seen)


if __name__ == "__main__":
    training_main(Vl2vSd, build, __doc__)
