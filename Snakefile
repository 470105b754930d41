# nameonly: from class names alone to an image classifier. See README.md; every key of the configuration is
# described in config.schema.json.
import os

from snakemake.utils import min_version

min_version("9.27")


configfile: os.path.join(workflow.basedir, "config.yaml")


include: "rules/common.smk"
include: "rules/models.smk"
include: "rules/prompts.smk"
include: "rules/real_images.smk"
include: "rules/generation.smk"
include: "rules/training.smk"
include: "rules/ensembling.smk"
include: "rules/evaluation.smk"
include: "rules/report.smk"


rule all:
    default_target: True
    input:
        all_products(PLAN),
    localrule: True
