# Needs: a built-in data set or image folders, and the class names.
# Gives: real images in the same shards as generated ones, and their manifests.

REAL = "real-train|real-test"


rule real_shard:
    input:
        f"{PROMPTS}/classes.json",
    output:
        f"{IMAGES}/shards/{{shard}}.parquet",
    log:
        f"{LOGS}/real_shard/{{dataset}}/{{source}}/{{domain}}/{{shard}}.log",
    benchmark:
        f"{BENCHMARKS}/real_shard/{{dataset}}/{{source}}/{{domain}}/{{shard}}.tsv"
    wildcard_constraints:
        source=REAL,
    localrule: True
    conda:
        "../envs/nameonly.yaml"
    params:
        settings=lambda w: jobs.real_shard(
            PLAN, w.dataset, w.source, w.domain, int(w.shard)
        ).canonical(),
        code=lambda w: code_of("real_images.shard"),
    shell:
        "python -m workflow_scripts.real_images.shard --settings {params.settings:q} --code {params.code}"
        " --classes {input:q} --output {output:q} --log {log:q}"


rule real_manifest:
    input:
        lambda w: shards(PLAN, w.dataset, w.source, w.domain),
    output:
        f"{IMAGES}/manifest.json",
    log:
        f"{LOGS}/real_manifest/{{dataset}}/{{source}}/{{domain}}.log",
    benchmark:
        f"{BENCHMARKS}/real_manifest/{{dataset}}/{{source}}/{{domain}}.tsv"
    wildcard_constraints:
        source=REAL,
    localrule: True
    conda:
        "../envs/nameonly.yaml"
    params:
        settings=lambda w: jobs.real_manifest(
            PLAN, w.dataset, w.source, w.domain
        ).canonical(),
        code=lambda w: code_of("real_images.collect"),
    shell:
        "python -m workflow_scripts.real_images.collect --settings {params.settings:q} --code {params.code}"
        " --shards {input:q} --output {output:q} --log {log:q}"
