# Needs: a run's artifacts, and its selection where a picker names the alpha.
# Gives: averaged models of chosen alphas, for plain open_clip. (The grid itself is averaged inside `score_images`.)


rule export_model:
    input:
        clip=lambda w: WHERE.model_manifest(w.clip),
        artifacts=lambda w: WHERE.artifacts(run_of(w)),
        selection=lambda w: [] if is_alpha(w.alpha) else [selection_of(run_of(w))],
    output:
        weights=f"{EXPORT}/{OPEN_CLIP_WEIGHTS}",
        config=f"{EXPORT}/{OPEN_CLIP_CONFIG}",
        head=f"{EXPORT}/{EXPORT_HEAD}",
        classes=f"{EXPORT}/{EXPORT_CLASSES}",
    log:
        f"{LOGS}/export_model/{stem(EXPORT)}.log",
    benchmark:
        f"{BENCHMARKS}/export_model/{stem(EXPORT)}.tsv"
    conda:
        "../envs/nameonly.yaml"
    resources:
        mem_mb=memory(4000),
        runtime=20,
    params:
        start=start,
        classifier=lambda w: PLAN.method(run_of(w)).classifier,
        code=lambda w: code_of(
            "ensembling.export_model", PLAN.method(run_of(w)).classifier
        ),
    shell:
        "{params.start} ensembling.export_model --code {params.code} --clip {input.clip:q}"
        " --classifier {params.classifier} --artifacts {input.artifacts:q} --alpha {wildcards.alpha}"
        " --selection {input.selection:q} --output {output.weights:q} --log {log:q}"
