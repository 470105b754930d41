"""VL2V-ADiP: align a student's projection with a teacher's embeddings, distill into the student, predict with text."""

import argparse
from collections.abc import Callable
from pathlib import Path

import torch

from workflow_scripts.ground.clip import Clip, load_clip
from workflow_scripts.ground.command import run
from workflow_scripts.ground.devices import claimed_device
from workflow_scripts.ground.encoders import encoder_metadata, save_encoder
from workflow_scripts.ground.handover import load_class_weights, save_class_weights
from workflow_scripts.ground.images import DecodedImages
from workflow_scripts.ground.preprocessing import IMAGENET_MEAN, IMAGENET_STD, Preprocessing
from workflow_scripts.ground.students import Architecture, ProjectedStudent, load_student
from workflow_scripts.training.loop import Record, train
from workflow_scripts.training.outputs import Identity, begin, finish, training_parser
from workflow_scripts.training.selection import choice, class_rows, decoder, load_training_sets
from workflow_scripts.training.trajectories import trajectory_of
from workflow_scripts.training.vl2v.settings import Vl2vAdipJob
from workflow_scripts.training.vl2v.task import Vl2vTask, phase_course
from workflow_scripts.training.vl2v.teacher import EncoderTeacher, Teacher, table_teacher


def job(options: argparse.Namespace) -> None:
    """Decode the images, run both phases, and hand over the student with its projection and the text classifier."""
    settings = Vl2vAdipJob.parse(options.settings)
    zero_shot = load_class_weights(options.head)
    sets = load_training_sets(options.images, zero_shot.classes)
    inputs = [*options.images, options.clip, options.head, options.student, *options.embeddings]
    identity = begin(settings, code=options.code, inputs=inputs, threads=options.threads, output=options.output)
    keep = choice(sets, base=settings.base, shots=settings.shots, seed=settings.seed)
    rows = class_rows(len(zero_shot.classes), settings.base)
    head = zero_shot.heads["pretrained"]
    with claimed_device(threads=options.threads, locks=options.locks) as device:
        student, architecture = load_student(options.student, dimension=head["weight"].shape[1], seed=settings.seed)
        seen = student_preprocessing(architecture, settings)
        decoded = decoder(sets, preprocessing=seen, keep=keep, threads=options.threads)
        images = decoded("training")
        task = Vl2vTask(
            model=student.to(device),
            settings=settings,
            images=images,
            held_out=decoded("held-out"),
            head=head["weight"].to(device),
            rows=rows.to(device),
            trained=(rows >= 0).nonzero()[:, 0].to(device),
            preprocessing=seen,
            teacher=make_teacher(settings, images, options.embeddings, lambda: load_clip(options.clip, device=device)),
            device=device,
        )
        records = align_and_distill(task, student, identity, settings=settings, device=device)
    metadata = encoder_metadata(seen, student=architecture)
    save_encoder(options.output, student.state_dict(), metadata=metadata, identity=identity.values)
    save_class_weights(options.class_weights, {"pretrained": head}, classes=zero_shot.classes)
    finish(
        identity,
        records=records,
        images=task.images,
        held_out=task.held_out,
        device=device,
        log=options.records,
        record=options.record,
    )


def student_preprocessing(architecture: Architecture, settings: Vl2vAdipJob) -> Preprocessing:
    """Return how the student sees pictures: a square of its own size, under its own or ImageNet's constants.

    The release uses ImageNet's for every student, also where the checkpoint expects others.
    """
    constants = {"clip": (architecture.mean, architecture.std), "imagenet": (IMAGENET_MEAN, IMAGENET_STD)}
    mean, std = constants[settings.preprocessing]
    return Preprocessing(size=architecture.size, mean=mean, std=std, resize_mode="squash")


def make_teacher(settings: Vl2vAdipJob, images: DecodedImages, tables: list[Path], load: Callable[[], Clip]) -> Teacher:
    """Return the teacher: tables where there is no augmentation, else CLIP's frozen image encoder."""
    if settings.augmentation is None:
        return table_teacher(images, tables)
    clip = load()
    return EncoderTeacher(clip.visual.requires_grad_(False), clip.preprocessing.seen_as(settings.preprocessing))


def align_and_distill(
    task: Vl2vTask,
    student: ProjectedStudent,
    identity: Identity,
    *,
    settings: Vl2vAdipJob,
    device: torch.device,
) -> list[Record]:
    """Train the projection alone, then the student alone; return the records of both phases."""
    records: list[Record] = []
    phases = (
        ("align", student.projection, student.backbone, settings.align, settings.align_averaging),
        ("distill", student.backbone, student.projection, settings.distill, settings.averaging),
    )
    for name, trained, frozen, phase, averaging in phases:
        frozen.requires_grad_(False)
        trained.requires_grad_(True)
        found = train(
            task,
            course=phase_course(phase, task.images, settings, name=name),
            optimiser=torch.optim.Adam(trained.parameters(), lr=phase.learning_rate, fused=True),
            trajectory=trajectory_of(averaging),
            checkpoint=identity.checkpoint(name),
            device=device,
        )
        # Steps and epochs of the second phase go on counting, so that the log reads as one training.
        steps = sum(line["kind"] == "step" for line in records)
        epochs = 1 + records[-1]["epoch"] if records else 0
        for line in found:
            later = {"step": line["step"] + steps} if "step" in line else {}
            records.append({**line, "phase": name, "epoch": line["epoch"] + epochs, **later})
    return records


def main() -> None:
    """Run from the command line."""
    parser = training_parser(__doc__)
    parser.add_argument("--student", type=Path, required=True, help="manifest of the student")
    parser.add_argument("--head", type=Path, required=True, help="class weights of the zero-shot head")
    parser.add_argument("--embeddings", type=Path, nargs="*", default=[], help="tables of the teacher's embeddings")
    parser.add_argument("--output", type=Path, required=True, help="trained student to write")
    parser.add_argument("--class-weights", type=Path, required=True, help="class weights to write")
    run(job, parser)


if __name__ == "__main__":
    main()
