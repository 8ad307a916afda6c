/* elbow: the indices for a range of k; the model stays as it is. */
#include <stdio.h>

#include "verbs.h"
#include "work.h"

typedef struct elbow_work {
    cli_work work;
    kb_elbow elbow;
} elbow_work;

void cli_write_elbow_row(output *out, const kb_elbow_row *row)
{
    output_count(out, row->k);
    output_real(out, row->silhouette);
    output_real(out, row->davies_bouldin);
    output_real(out, row->calinski_harabasz);
    output_real(out, row->inertia);
    output_count(out, row->chosen);
}

/* Told where the rules disagree, as they mostly do. */
static void note_disagreement(cli_work *work, const kb_elbow *elbow)
{
    size_t k = kb_elbow_chosen(elbow);
    char text[250], stable[50] = "";
    if (elbow->best_silhouette == k && elbow->best_davies_bouldin == k && elbow->knee == k &&
        (!elbow->most_stable || elbow->most_stable == k))
        return;
    if (elbow->most_stable)
        snprintf(stable, sizeof stable, ", the most stable is %zu", elbow->most_stable);
    snprintf(text, sizeof text,
             "k = %zu; by silhouette it would be %zu, by Davies-Bouldin %zu, by the knee %zu%s", k,
             elbow->best_silhouette, elbow->best_davies_bouldin, elbow->knee, stable);
    cli_note(&work->console, text);
}

int cli_write_elbow(cli_work *work, const kb_elbow *elbow)
{
    static const output_column columns[] = {{.name = "k"},
                                            {"silhouette", .drop = 1},
                                            {"davies_bouldin", .drop = 2},
                                            {"calinski_harabasz", .drop = 3},
                                            {"inertia", .drop = 4},
                                            {.name = "chosen"},
                                            {"joint_silhouette", .drop = 5},
                                            {"stability", .drop = 6}};
    note_disagreement(work, elbow);
    output *out = cli_output(work, columns, sizeof columns / sizeof *columns);
    for (size_t i = 0; i < elbow->count; i++) {
        cli_write_elbow_row(out, &elbow->rows[i]);
        output_real(out, elbow->rows[i].joint);
        output_real(out, elbow->rows[i].stability);
    }
    return cli_finish_output(&work->console, out);
}

static kb_status find_elbow(void *ctx, const kb_progress *progress, kb_error *err)
{
    elbow_work *e = ctx;
    cli_work *work = &e->work;
    kb_status status = cli_work_load(work, progress, err);
    return status ? status
                  : kb_elbow_of(&e->elbow, work->model, work->corpus, &work->options->calibration,
                                work->pool, progress, err);
}

int verb_elbow(const cli_options *options)
{
    elbow_work e = {0};
    cli_work_start(&e.work, options);
    int status = cli_run(&e.work.console, find_elbow, &e);
    if (status == CLI_DONE)
        status = cli_write_elbow(&e.work, &e.elbow);
    kb_elbow_clear(&e.elbow);
    return cli_work_end(&e.work, status);
}
