# Needs: both endpoints of a run's weights.
# Gives: averaged models of chosen alphas, for plain open_clip. (The grid itself is averaged inside `score_images`.)


rule export_model:
    input:
        clip=lambda w: WHERE.model_manifest(w.clip),
        encoder=lambda w: WHERE.encoder(run_of(w)),
        head=f"{RUN}/{HEAD}",
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
        code=lambda w: code_of("ensembling.export_model"),
        encoder=lambda w, input: ["--encoder", input.encoder] if input.encoder else [],
    shell:
        "python -m workflow_scripts.ensembling.export_model --code {params.code} --clip {input.clip:q}"
        " {params.encoder:q} --head {input.head:q} --alpha {wildcards.alpha}"
        " --output {output.weights:q} --log {log:q}"
