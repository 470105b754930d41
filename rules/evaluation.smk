# Needs: a method's artifacts, and image manifests.
# Gives: per-image scores at every alpha, and the metric table of each run.


rule score_images:
    input:
        images=lambda w: WHERE.scored_manifests(run_of(w), w.domain),
        clip=lambda w: WHERE.model_manifest(w.clip),
        artifacts=lambda w: WHERE.artifacts(run_of(w)),
    output:
        f"{RUN}/{{domain}}/{SCORES}",
    log:
        f"{LOGS}/score_images/{stem(RUN)}/{{domain}}.log",
    benchmark:
        f"{BENCHMARKS}/score_images/{stem(RUN)}/{{domain}}.tsv"
    conda:
        "../envs/nameonly.yaml"
    threads: THREADS.evaluation
    resources:
        gpu=gpus,
        mem_mb=memory(6000),
        runtime=120,
    params:
        start=start,
        settings=lambda w: jobs.score_images(PLAN, run_of(w), w.domain).canonical(),
        classifier=lambda w: PLAN.method(run_of(w)).classifier,
        code=lambda w: code_of(
            "evaluation.score_images", PLAN.method(run_of(w)).classifier
        ),
    shell:
        "{params.start} evaluation.score_images --settings {params.settings:q} --code {params.code}"
        " --images {input.images:q} --clip {input.clip:q} --classifier {params.classifier}"
        " --artifacts {input.artifacts:q} --output {output:q} --threads {threads} --log {log:q}"


rule compute_metrics:
    input:
        lambda w: run_scores(PLAN, run_of(w)),
    output:
        f"{RUN}/{METRIC_TABLE}",
    log:
        f"{LOGS}/compute_metrics/{stem(RUN)}.log",
    benchmark:
        f"{BENCHMARKS}/compute_metrics/{stem(RUN)}.tsv"
    localrule: True
    conda:
        "../envs/nameonly.yaml"
    params:
        start=start,
        settings=lambda w: jobs.compute_metrics(PLAN, run_of(w)).canonical(),
        code=code_of("evaluation.compute_metrics", *modules_of("evaluation.metrics")),
    shell:
        "{params.start} evaluation.compute_metrics --settings {params.settings:q} --code {params.code}"
        " --scores {input:q} --output {output:q} --log {log:q}"
