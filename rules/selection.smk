# Needs: a run's metric table and scores.
# Gives: the alpha that each picker chooses for it, and what the choice looked at.


rule select_alpha:
    input:
        metrics=lambda w: run_metrics(PLAN, run_of(w)),
        scores=lambda w: run_scores(PLAN, run_of(w)),
    output:
        f"{RUN}/{SELECTION}",
    log:
        f"{LOGS}/select_alpha/{stem(RUN)}.log",
    benchmark:
        f"{BENCHMARKS}/select_alpha/{stem(RUN)}.tsv"
    localrule: True
    conda:
        "../envs/nameonly.yaml"
    params:
        start=start,
        settings=lambda w: jobs.select_alpha(PLAN, run_of(w)).canonical(),
        code=code_of(
            "selection.select_alpha",
            *PLAN.picker_modules(),
            *modules_of("evaluation.metrics"),
        ),
    shell:
        "{params.start} selection.select_alpha --settings {params.settings:q} --code {params.code}"
        " --metrics {input.metrics:q} --scores {input.scores:q} --output {output:q} --log {log:q}"
