# Needs: the files that a method handed over, and image manifests.
# Gives: per-image scores at every alpha, and the metric table of each run.


rule score:
    input:
        images=lambda w: PLAN.scored_manifests(run_of(w), w.domain),
        clip=f"{MODEL}/manifest.json".replace("{model}", "{clip}"),
        encoder=lambda w: PLAN.encoder(run_of(w)),
        class_weights=f"{RUN}/class_weights.safetensors",
    output:
        f"{RUN}/{{domain}}/scores.parquet",
    log:
        f"{LOGS}/score/{{dataset}}/{{source}}/{{clip}}/{{method}}/seed{{seed}}/{{domain}}.log",
    benchmark:
        f"{BENCHMARKS}/score/{{dataset}}/{{source}}/{{clip}}/{{method}}/seed{{seed}}/{{domain}}.tsv"
    conda:
        "../envs/nameonly.yaml"
    threads: THREADS.evaluation
    resources:
        gpu=gpus,
        mem_mb=memory(6000),
        runtime=120,
    params:
        settings=lambda w: jobs.scoring(PLAN, run_of(w), w.domain).canonical(),
        code=lambda w: code_of("evaluation.score"),
        encoder=lambda w, input: ["--encoder", input.encoder] if input.encoder else [],
    shell:
        "python -m workflow_scripts.evaluation.score --settings {params.settings:q} --code {params.code}"
        " --images {input.images:q} --clip {input.clip:q} {params.encoder:q}"
        " --class-weights {input.class_weights:q} --output {output:q} --threads {threads} --log {log:q}"


rule metrics:
    input:
        lambda w: [
            f"{run_of(w).folder}/{domain}/scores.parquet"
            for domain in PLAN.evaluation_domains(run_of(w))
        ],
    output:
        f"{RUN}/metrics.csv",
    log:
        f"{LOGS}/metrics/{{dataset}}/{{source}}/{{clip}}/{{method}}/seed{{seed}}.log",
    benchmark:
        f"{BENCHMARKS}/metrics/{{dataset}}/{{source}}/{{clip}}/{{method}}/seed{{seed}}.tsv"
    localrule: True
    conda:
        "../envs/nameonly.yaml"
    params:
        settings=lambda w: jobs.metrics(PLAN, run_of(w)).canonical(),
        code=lambda w: code_of("evaluation.measure"),
    shell:
        "python -m workflow_scripts.evaluation.measure --settings {params.settings:q} --code {params.code}"
        " --scores {input:q} --output {output:q} --log {log:q}"
