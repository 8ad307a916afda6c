/* calibrate: clusters and thresholds anew, into the model. */
#include "modelfile.h"
#include "verbs.h"
#include "work.h"

typedef struct calibration {
    cli_work work;
    kb_elbow elbow;
} calibration;

static kb_status calibrate(void *ctx, const kb_progress *progress, kb_error *err)
{
    calibration *c = ctx;
    cli_work *work = &c->work;
    const cli_options *options = work->options;
    kb_status status = cli_check_target(options->model, err);
    if (!status)
        status = cli_work_load(work, progress, err);
    if (!status)
        status = cli_work_calibrate(work, &c->elbow, progress, err);
    if (status || kb_cancelled(progress))
        return status ? status : KB_ERR_CANCELLED;
    kb_progress_report(progress, cli_phase_writing, 0, 0);
    return kb_model_save(work->model, options->model, err);
}

int verb_calibrate(const cli_options *options)
{
    calibration c = {0};
    cli_work_start(&c.work, options);
    int status = cli_run(&c.work.console, calibrate, &c);
    if (status == CLI_DONE)
        status = cli_write_elbow(&c.work, &c.elbow);
    kb_elbow_clear(&c.elbow);
    return cli_work_end(&c.work, status);
}
