# Needs: config. Gives: PLAN (the validated configuration), path patterns, and the small functions that rules call.
import json
import os
import re
import shlex
import sys
from pathlib import Path

if workflow.basedir not in sys.path:
    sys.path.insert(0, workflow.basedir)

from workflow_scripts.common.checkpoint_files import (
    AUTOENCODER_CONFIG,
    AUTOENCODER_WEIGHTS,
    CLIP_FILES,
    EXPORT_CLASSES,
    EXPORT_HEAD,
    OPEN_CLIP_CONFIG,
    OPEN_CLIP_WEIGHTS,
    PIPELINE_FILES,
    STUDENT_FILES,
)
from workflow_scripts.common.constants import REAL_TEST, REAL_TRAIN, ZERO_SHOT
from workflow_scripts.common.errors import InputError
from workflow_scripts.common.files import write_text
from workflow_scripts.planning import job_settings as jobs
from workflow_scripts.planning.code import code_of
from workflow_scripts.planning.hardware import has_gpu
from workflow_scripts.planning.layout import (
    ALL_METRICS,
    BENCHMARKS,
    CLASS_STATISTICS,
    CLASSES,
    CLIP_MANIFEST,
    CONTEXT,
    EMBEDDINGS,
    ENCODER,
    EXPORT,
    FIGURES,
    GENERATION_PROMPTS,
    HEAD,
    HEAD_PROMPTS,
    IMAGE_MANIFEST,
    LOGS,
    METADATA,
    METRICS,
    MODEL,
    MODEL_MANIFEST,
    PAGE,
    RUN,
    SCORES,
    SHARD,
    TRAINING_LOG,
    ZERO_SHOT_RUN,
    Comparison,
    Run,
    model_manifest,
)
from workflow_scripts.planning.plan import Plan
from workflow_scripts.planning.products import (
    all_products,
    report_figures,
    report_metrics,
    report_metadata,
    run_metrics,
    shards,
)
from workflow_scripts.training.finetune_settings import Finetune
from workflow_scripts.training.ogen.settings import Ogen
from workflow_scripts.training.vl2v.settings import Vl2vAdip, Vl2vSd


def validated_plan():
    try:
        return Plan(config)
    except InputError as error:
        raise WorkflowError("the configuration is refused:\n" + str(error)) from None


def shell_prefix():
    # Jobs find the package wherever the working directory is, and run on the interpreter that runs snakemake. With
    # --sdm the environment that snakemake activates brings its own interpreter.
    prefix = f"export PYTHONPATH={shlex.quote(str(workflow.basedir))}; "
    if not workflow.deployment_settings.deployment_method:
        prefix += f"export PATH={shlex.quote(os.path.dirname(sys.executable))}:$PATH; "
    return prefix


def one_of(names):
    # An empty alternative matches nothing: a rule without models or sources claims no path.
    return "|".join(re.escape(name) for name in names) or "(?!)"


def gpus(wildcards):
    # A job asks for a GPU only where there can be one: on this machine, or behind a cluster's executor.
    plugin = workflow.executor_plugin
    on_cluster = plugin is not None and not plugin.common_settings.local_exec
    return 1 if on_cluster or has_gpu() else 0


def memory(megabytes):
    return lambda wildcards, attempt: megabytes * attempt


def run_of(wildcards):
    return Run(
        wildcards.dataset,
        wildcards.source,
        wildcards.clip,
        wildcards.method,
        int(wildcards.seed),
    )


def comparison_of(wildcards):
    return Comparison(wildcards.dataset, wildcards.source, wildcards.clip)


def comparison_runs(wildcards):
    return PLAN.runs_of(comparison_of(wildcards))


PLAN = validated_plan()
THREADS = PLAN.configuration.threads
shell.prefix(shell_prefix())


wildcard_constraints:
    dataset=one_of(PLAN.configuration.datasets),
    clip=one_of(PLAN.configuration.clips),
    method=one_of([ZERO_SHOT, *PLAN.run_names(object)]),
    model="[A-Za-z0-9][A-Za-z0-9._-]*",
    source="[A-Za-z0-9][A-Za-z0-9._-]*",
    domain="[A-Za-z0-9][A-Za-z0-9._-]*",
    alpha=r"\d\.\d+",
    preprocessing="clip|imagenet",
    seed=r"\d+",
    shard=r"\d{5}",
