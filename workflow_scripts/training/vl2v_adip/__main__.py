"""VL2V-ADiP: align a student's projection with a teacher's embeddings, distill into the student, predict with text."""

from pathlib import Path
from typing import Any

from workflow_scripts.common.artifacts import load_head, save_head
from workflow_scripts.common.encoders import encoder_metadata, save_encoder
from workflow_scripts.common.run_files import ENCODER, HEAD
from workflow_scripts.common.students import load_student
from workflow_scripts.training.image_selection import load_seen_images
from workflow_scripts.training.job import Training, TrainingInputs, training_main
from workflow_scripts.training.method_settings import TrainingJob
from workflow_scripts.training.vl2v.task import Vl2vTask
from workflow_scripts.training.vl2v_adip.settings import Vl2vAdip
from workflow_scripts.training.vl2v_adip.task import align_and_distill, make_teacher


def build(job: TrainingJob[Vl2vAdip], inputs: TrainingInputs) -> Training:
    """Put the student before its teacher; it is written with its projection and the text classifier."""
    settings = job.method
    zero_shot = load_head(inputs.zero_shot_head)
    head = zero_shot.endpoints["pretrained"]
    student, architecture = load_student(inputs.student, dimension=head["weight"].shape[1], seed=job.seed)
    preprocessing = architecture.preprocessing(settings.preprocessing)
    seen = load_seen_images(
        inputs.images, job, preprocessing=preprocessing, threads=inputs.threads, classes=zero_shot.classes
    )
    task = Vl2vTask(
        model=student.to(inputs.device),
        settings=settings,
        seed=job.seed,
        seen=seen,
        head=head["weight"].to(inputs.device),
        preprocessing=preprocessing,
        teacher=make_teacher(settings, seen.training, inputs),
        device=inputs.device,
    )

    def save(folder: Path, identity: dict[str, Any]) -> None:
        described = encoder_metadata(preprocessing, student=architecture)
        save_encoder(folder / ENCODER, student.state_dict(), metadata=described, identity=identity)
        save_head(folder / HEAD, {"pretrained": head}, classes=zero_shot.classes)

    return Training(phases=align_and_distill(task, student, settings), save=save, seen=seen)


if __name__ == "__main__":
    training_main(Vl2vAdip, build, __doc__)
