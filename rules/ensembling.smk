# Needs: both ends of a run's model.
# Gives: averaged models of chosen alphas, for plain open_clip. (The grid itself is averaged inside `score`.)

EXPORT = f"{RUN}/exports/{{alpha}}"


rule export_alpha:
    input:
        clip=f"{MODEL}/manifest.json".replace("{model}", "{clip}"),
        encoder=lambda w: PLAN.encoder(run_of(w)),
        class_weights=f"{RUN}/class_weights.safetensors",
    output:
        weights=f"{EXPORT}/open_clip_model.safetensors",
        config=f"{EXPORT}/open_clip_config.json",
        head=f"{EXPORT}/head.safetensors",
        classes=f"{EXPORT}/classes.json",
    log:
        f"{LOGS}/export_alpha/{{dataset}}/{{source}}/{{clip}}/{{method}}/seed{{seed}}/{{alpha}}.log",
    benchmark:
        f"{BENCHMARKS}/export_alpha/{{dataset}}/{{source}}/{{clip}}/{{method}}/seed{{seed}}/{{alpha}}.tsv"
    conda:
        "../envs/nameonly.yaml"
    resources:
        mem_mb=memory(4000),
        runtime=20,
    params:
        code=lambda w: code_of("ensembling.export"),
        encoder=lambda w, input: ["--encoder", input.encoder] if input.encoder else [],
    shell:
        "python -m workflow_scripts.ensembling.export --code {params.code} --clip {input.clip:q}"
        " {params.encoder:q} --class-weights {input.class_weights:q} --alpha {wildcards.alpha}"
        " --output {output.weights:q} --log {log:q}"
