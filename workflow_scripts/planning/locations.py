"""Where lies what a plan needs. The path of what configurations share names the settings that it was made with.

Two configurations share a checkpoint or an image exactly where all settings are equal that it depends on: a digest of
them is part of its path, and neither configuration makes the other's again. Content (files of a folder, code) is no
setting: where that changes, the same path is made again.
"""

from collections.abc import Iterable
from functools import cached_property
from pathlib import PurePosixPath
from typing import Any, cast

from workflow_scripts.common.checkpoint_files import AUTOENCODER_CONFIG, AUTOENCODER_WEIGHTS
from workflow_scripts.common.constants import HELD_OUT, REAL_TEST, REAL_TRAIN
from workflow_scripts.common.files import digest_of
from workflow_scripts.common.run_files import HEAD
from workflow_scripts.models.settings import PreparedCorpus
from workflow_scripts.planning import job_settings as jobs
from workflow_scripts.planning.layout import (
    AUTOENCODER,
    CLASSES,
    EMBEDDINGS,
    GENERATION_PROMPTS,
    HEAD_PROMPTS,
    IMAGE_MANIFEST,
    INSPECTION,
    MODEL,
    MODEL_MANIFEST,
    PREPARED,
    SHARD,
    SHARED,
    Comparison,
    Run,
)
from workflow_scripts.planning.plan import Plan
from workflow_scripts.real_images.settings import RealSource

ImageDomain = tuple[str, str, str]
"""Data set, source and domain."""

DIGITS = 8
"""Hexadecimal digits of a digest in a path: equal by chance for one pair of settings in four billions."""


class Locations:
    """The paths of a plan's shared products, and the lists of paths that its jobs read; digests are made once."""

    def __init__(self, plan: Plan) -> None:
        """Take the plan; nothing is read and nothing has to exist."""
        self.plan = plan

    @cached_property
    def class_digests(self) -> dict[str, str]:
        """Return the digest of each data set's class names."""
        return {name: _digest(list(names)) for name, names in self.plan.classes.items()}

    @cached_property
    def prompt_digests(self) -> dict[tuple[str, str], str]:
        """Return the digest of what each generated domain's prompts are made of, by data set and domain."""
        return {
            (dataset, domain): _digest(
                self.class_digests[dataset], jobs.write_generation_prompts(self.plan, dataset, domain)
            )
            for dataset in dict.fromkeys(dataset for dataset, _ in self.plan.generators)
            for domain in self.plan.configuration.datasets[dataset].prompts.domains
        }

    @cached_property
    def autoencoder_digests(self) -> dict[str, str]:
        """Return the digest of what each autoencoder that is pretrained here depends on."""
        return {
            model: _digest(
                jobs.pretrain_autoencoder(self.plan, model), self.corpus_files(self.plan.text_to_image(model))
            )
            for model in self.plan.pretrained_generators
        }

    @cached_property
    def model_digests(self) -> dict[str, str]:
        """Return the digest of what each model depends on: where it comes from, or its training and its corpus."""
        plan = self.plan
        digests = {name: _digest(jobs.fetch_checkpoint(plan, name)) for name in plan.fetched_checkpoints}
        for name in plan.pretrained_clips:
            corpus = self.corpus_files(plan.configuration.clips[name])
            digests[name] = _digest(jobs.pretrain_clip(plan, name), corpus)
        for name in plan.pretrained_students:
            digests[name] = _digest(jobs.pretrain_student(plan, name), self.student_manifests(name))
        for name in plan.pretrained_generators:
            whole = plan.text_to_image(name)
            digests[name] = _digest(
                jobs.pretrain_text_to_image(plan, name),
                self.corpus_files(whole),
                self.autoencoder_digests[name],
                digests[whole.clip],
            )
        return digests

    @cached_property
    def prepared_digests(self) -> dict[str, str]:
        """Return the digest of what each data set's prepared pictures depend on."""
        return {
            name: _digest(self.class_digests[name], jobs.prepared_settings(self.plan, name))
            for name in self.plan.prepared_datasets
        }

    @cached_property
    def real_image_digests(self) -> dict[ImageDomain, str]:
        """Return the digest of what each real picture depends on, by data set, source and domain."""
        return {
            item: _digest(
                self.class_digests[item[0]],
                jobs.real_image_settings(self.plan, item[0], cast(RealSource, item[1]), item[2]),
            )
            for item in self.plan.image_domains
            if item[1] in (REAL_TRAIN, REAL_TEST)
        }

    @cached_property
    def image_digests(self) -> dict[ImageDomain, str]:
        """Return the digest of what each image depends on, by data set, source and domain."""
        plan = self.plan
        generated = {
            (dataset, source, domain): _digest(
                self.prompt_digests[dataset, domain],
                self.model_digests[plan.model_of(source)],
                jobs.generated_image_settings(plan, dataset, source, domain),
            )
            for dataset, source, domain in plan.image_domains
            if source not in (REAL_TRAIN, REAL_TEST)
        }
        return {**self.real_image_digests, **generated}

    def model_folder(self, model: str) -> str:
        """Return the folder of a model."""
        return MODEL.format(model=model, digest=self.model_digests[model])

    def model_manifest(self, model: str) -> str:
        """Return the manifest of a model."""
        return MODEL_MANIFEST.format(model=model, digest=self.model_digests[model])

    def autoencoder(self, model: str) -> tuple[str, str]:
        """Return configuration and weights of the autoencoder that is pretrained here for a model."""
        folder = AUTOENCODER.format(model=model, digest=self.autoencoder_digests[model])
        return f"{folder}/{AUTOENCODER_CONFIG}", f"{folder}/{AUTOENCODER_WEIGHTS}"

    def model_manifests(self) -> list[str]:
        """Return the manifests of all models."""
        return [self.model_manifest(model) for model in self.plan.models]

    def classes(self, dataset: str) -> str:
        """Return the file of a data set's class names."""
        return CLASSES.format(dataset=dataset, digest=self.class_digests[dataset])

    def generation_prompts(self, dataset: str, domain: str) -> str:
        """Return the table of prompts of a generated domain."""
        return GENERATION_PROMPTS.format(dataset=dataset, domain=domain, digest=self.prompt_digests[dataset, domain])

    def prepared(self, dataset: str) -> list[str]:
        """Return the table of a data set's prepared pictures, if it has one."""
        digest = self.prepared_digests.get(dataset)
        return [] if digest is None else [PREPARED.format(dataset=dataset, digest=digest)]

    def shards(self, dataset: str, source: str, domain: str) -> list[str]:
        """Return the shards of one domain, in order."""
        digest = self._image_digest(dataset, source, domain)
        return [
            SHARD.format(dataset=dataset, source=source, domain=domain, digest=digest, shard=name)
            for name in self.plan.shards[dataset, source]
        ]

    def image_manifest(self, dataset: str, source: str, domain: str) -> str:
        """Return the manifest of one domain's images."""
        return IMAGE_MANIFEST.format(
            dataset=dataset,
            source=source,
            domain=domain,
            digest=self._image_digest(dataset, source, domain),
            extent=self._extent(dataset, source, domain),
        )

    def _extent(self, dataset: str, source: str, domain: str) -> str:
        settings = jobs.collect_images(self.plan, dataset, source, domain)
        return _digest(list(self.plan.shards[dataset, source]), settings)

    def _image_digest(self, dataset: str, source: str, domain: str) -> str:
        # Models are trained on real images and draw generated ones: the digests of the former come first.
        digests = self.real_image_digests if source in (REAL_TRAIN, REAL_TEST) else self.image_digests
        return digests[dataset, source, domain]

    def image_manifests(self, domains: Iterable[ImageDomain]) -> list[str]:
        """Return the manifests of some domains' images."""
        return [self.image_manifest(*item) for item in domains]

    def corpus_files(self, model: Any) -> list[str]:
        """Return the files of what a model pretrained here learns from: a manifest per domain, or one table."""
        corpus = model.corpus
        if isinstance(corpus, PreparedCorpus):
            return self.prepared(corpus.dataset)
        return self.image_manifests((corpus.dataset, REAL_TRAIN, domain) for domain in corpus.mixture_weights)

    def student_manifests(self, student: str) -> list[str]:
        """Return the manifests of the images that a student pretrained here learns from."""
        corpus = self.plan.student(student).corpus
        return self.image_manifests((corpus.dataset, REAL_TRAIN, domain) for domain in corpus.domains)

    def train_manifests(self, run: Run) -> list[str]:
        """Return the manifests of the images that a run is trained on."""
        return self.image_manifests(self.plan.train_images(run))

    def training_inputs(self, run: Run) -> dict[str, list[str]]:
        """Return what a run's training reads, by the names of its options: exactly what its method asks for."""
        method = self.plan.method(run)
        student = method.student_name()
        inputs = {
            "images": self.train_manifests(run) if "images" in method.inputs else [],
            "clip": [self.model_manifest(run.clip)] if "clip" in method.inputs else [],
            "zero_shot_head": (
                [f"{self.plan.zero_shot_run_of(run).folder}/{HEAD}"] if "zero-shot-head" in method.inputs else []
            ),
            "student": [] if student is None else [self.model_manifest(student)],
            "embeddings": self.embeddings(run),
            "other_runs": [path for other in self.plan.other_runs(run) for path in self.artifacts(other)],
        }
        return {name: paths for name, paths in inputs.items() if paths}

    def artifacts(self, run: Run) -> list[str]:
        """Return the artifacts of a run, which its classifier is made of."""
        return [f"{run.folder}/{name}" for name in self.plan.method(run).artifacts]

    def head_prompts(self, run: Run) -> str:
        """Return the table of sentences of a zero-shot run's head."""
        return HEAD_PROMPTS.format(
            configuration=run.configuration, dataset=run.dataset, head=self.plan.planned(run).head
        )

    def scored_manifests(self, run: Run, domain: str) -> list[str]:
        """Return the manifests of an evaluation domain; the held-out one gathers all that a run trains on."""
        if domain == HELD_OUT:
            return self.train_manifests(run)
        return [self.image_manifest(run.dataset, REAL_TEST, domain)]

    def training_manifests(self, comparison: Comparison) -> list[str]:
        """Return the manifests of the images of a comparison's own source that are trained on."""
        return self.image_manifests(self.plan.training_images(comparison))

    def test_manifests(self, dataset: str) -> list[str]:
        """Return the manifests of a data set's real test images."""
        return self.image_manifests(self.plan.test_images(dataset))

    def embeddings(self, run: Run) -> list[str]:
        """Return the tables of embeddings that a run learns from, in the order of its images."""
        preprocessing = self.plan.method(run).embeddings()
        if preprocessing is None:
            return []
        return [self._embeddings(run.clip, item, preprocessing) for item in self.plan.train_images(run)]

    def _embeddings(self, clip: str, item: ImageDomain, preprocessing: str) -> str:
        dataset, source, domain = item
        return EMBEDDINGS.format(
            dataset=dataset,
            source=source,
            domain=domain,
            clip=clip,
            preprocessing=preprocessing,
            digest=self._embeddings_digest(clip, item, preprocessing),
        )

    def _embeddings_digest(self, clip: str, item: ImageDomain, preprocessing: str) -> str:
        return _digest(self.image_manifest(*item), self.model_digests[clip], preprocessing)

    def inspection(self, dataset: str, source: str, domain: str) -> str:
        """Return the table of what a judge says of the pictures of one domain."""
        digest = self._inspection_digest((dataset, source, domain))
        return INSPECTION.format(dataset=dataset, source=source, domain=domain, digest=digest)

    def compared_manifests(self, dataset: str, source: str) -> list[str]:
        """Return the manifests of the training images that drawn pictures are compared with."""
        return [] if source == REAL_TEST else self.image_manifests(self.plan.compared_images(dataset))

    def inspections(self, comparison: Comparison) -> list[str]:
        """Return what a judge says of a comparison's drawn pictures, and then of the real test images."""
        wanted = [item for item in self.plan.inspected if item[0] == comparison.dataset]
        if (comparison.dataset, comparison.source) not in self.plan.generators:
            return []
        return [self.inspection(*item) for item in wanted if item[1] in (comparison.source, REAL_TEST)]

    def _inspection_digest(self, item: ImageDomain) -> str:
        judge = self.plan.judge(item[0])
        assert judge is not None
        return _digest(self.image_manifest(*item), self.model_digests[judge], self.compared_manifests(*item[:2]))

    def digests(self) -> set[str]:
        """Return every digest in a path of the plan: what another one stands for is nothing that it could make."""
        plan = self.plan
        digests = {*self.class_digests.values(), *self.prompt_digests.values(), *self.image_digests.values()}
        digests |= {*self.autoencoder_digests.values(), *self.model_digests.values(), *self.prepared_digests.values()}
        digests |= {self._inspection_digest(item) for item in plan.inspected}
        for run in plan.trained_runs:
            if (preprocessing := plan.method(run).embeddings()) is not None:
                digests |= {self._embeddings_digest(run.clip, item, preprocessing) for item in plan.train_images(run)}
        return digests

    def extents(self) -> set[str]:
        """Return every extent in the path of a manifest of images."""
        return {self._extent(*item) for item in self.plan.image_domains}

    def shared(self) -> list[str]:
        """Return what the plan uses below results/shared/: files, and folders of models and images."""
        plan = self.plan
        paths = [self.model_folder(model) for model in plan.models]
        paths += [AUTOENCODER.format(model=m, digest=self.autoencoder_digests[m]) for m in plan.pretrained_generators]
        paths += [self.generation_prompts(*item).removesuffix(".parquet") for item in self.prompt_digests]
        paths += [path.removesuffix(".parquet") for name in plan.prepared_datasets for path in self.prepared(name)]
        paths += [str(PurePosixPath(self.image_manifest(*item)).parent) for item in plan.image_domains]
        paths += [self.inspection(*item).removesuffix(".parquet") for item in plan.inspected]
        paths += [path.removesuffix(".parquet") for run in plan.trained_runs for path in self.embeddings(run)]
        return sorted({path.removeprefix(f"{SHARED}/") for path in paths})


def _digest(*parts: Any) -> str:
    """Return the digest of settings, texts and lists of them."""
    plain = [part.model_dump(mode="json") if hasattr(part, "model_dump") else part for part in parts]
    return digest_of(plain)[:DIGITS]
