#include "watch.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>
#include <zlib.h>

#include "memory.h"
#include "modelfile.h"
#include "secret.h"
#include "watch_state.h"

/* Milliseconds between two rounds at least, and at most when nothing happens; sessions that a
 * window of the rates has at least. */
enum { PAUSE_MS = 10, WAIT_MS = 100, LEAST_WINDOW = 30 };

/* Seconds between two states, at least; and in shares of what writing one takes. */
static const double state_every = 1, state_share = 20;
/* Seconds between two batches of labels that are not full. */
static const double batch_every = .05;

struct watch {
    const kb_watch_options *options;
    const kb_watch_sink *sink;
    kb_pool *pool;
    const kb_progress *progress;
    kb_model *model;
    uint64_t model_number;
    uint64_t seed;
    kb_stream *stream;
    kb_follow *follow;
    kb_rates *rates;
    int lock;
    unsigned hangups; /* answered */

    kb_stream_count count;
    double now, labelled, saved, saving_takes, told;
    bool changed;      /* since the state was written */
    bool state_failed; /* the state could not be written, which was told */
    bool caught_up;    /* what was read again after a start is behind us */
    /* Since the last summary: */
    uint64_t sessions, emerging;
    kb_stream_count before;
    uint64_t bytes_before;
};

kb_watch_options kb_watch_defaults(void)
{
    return (kb_watch_options){.settle = 2, .open = 4096, .every = 60, .alarm = 1e-5};
}

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void say(const struct watch *w, bool warning, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void say(const struct watch *w, bool warning, const char *format, ...)
{
    char text[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    w->options->say(w->options->ctx, warning, text);
}

/* --- the model ---------------------------------------------------------------------------- */

/* A number that goes with the bytes of the file. */
static uint64_t number_of(const char *path)
{
    enum { BUFFER = 1 << 16 };
    unsigned char *buffer = malloc(BUFFER);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    uLong crc = crc32(0, NULL, 0);
    uint64_t size = 0;
    ssize_t n = 0;
    while (buffer && fd >= 0 && (n = read(fd, buffer, BUFFER)) > 0) {
        crc = crc32(crc, buffer, (uInt)n);
        size += (uint64_t)n;
    }
    if (fd >= 0)
        close(fd);
    free(buffer);
    return size << 32 ^ crc;
}

static kb_rates *new_rates(const kb_model *model)
{
    size_t count = kb_model_clusters(model);
    uint32_t *numbers = kb_calloc(count, sizeof *numbers);
    for (size_t i = 0; numbers && i < count; i++)
        numbers[i] = kb_model_cluster(model, i)->number;
    kb_rates *rates = numbers ? kb_rates_create(numbers, count) : NULL;
    free(numbers);
    return rates;
}

static kb_status load_model(kb_model **out, const char *path, kb_error *err)
{
    kb_status status = kb_model_load(out, path, err);
    if (status || kb_model_calibrated(*out))
        return status;
    kb_model_free(*out);
    *out = NULL;
    return kb_fail(err, KB_ERR_USAGE, "%s: the model has no clusters yet: run `kaboom calibrate`",
                   path);
}

/* The rates of another model are no history of this one's. */
static kb_status take_model(struct watch *w, kb_model *model, kb_error *err)
{
    const kb_features *features = kb_model_features(model);
    kb_rates *rates = new_rates(model);
    if (!rates) {
        kb_model_free(model);
        return kb_fail_memory(err, "rates");
    }
    uint64_t number = number_of(w->options->model);
    if (number != w->model_number) {
        kb_rates_free(w->rates);
        w->rates = rates;
    } else {
        kb_rates_free(rates);
    }
    w->model_number = number;
    kb_model_free(w->model);
    w->model = model;
    kb_follow_reshape(w->follow, kb_features_timesteps(features), kb_features_fill(features));
    return kb_stream_reshape(w->stream, kb_features_timesteps(features), kb_features_fill(features),
                             err);
}

static kb_status reload_model(struct watch *w, kb_error *err)
{
    kb_model *model;
    kb_error why = {0};
    if (load_model(&model, w->options->model, &why)) {
        say(w, true, "the model stays as it was: %s", why.text);
        return KB_OK;
    }
    kb_status status = take_model(w, model, err);
    if (!status)
        say(w, false, "%s: read again, %zu clusters", w->options->model,
            kb_model_clusters(w->model));
    return status;
}

/* --- the state ---------------------------------------------------------------------------- */

static kb_ledger_place place_of(const struct watch *w)
{
    return w->sink->place ? w->sink->place(w->sink->ctx) : (kb_ledger_place){0};
}

/* A state that cannot be written leaves the one before, which is as good, only older. */
static void save(struct watch *w)
{
    if (!w->options->state)
        return;
    kb_watch_about about = {place_of(w), w->seed, w->model_number};
    kb_error why = {0};
    double began = seconds();
    kb_status status =
        kb_watch_state_write(w->options->state, &about, w->follow, w->stream, w->rates, &why);
    if (status && !w->state_failed)
        say(w, true, "%s; it is tried again", why.text);
    w->state_failed = status != KB_OK;
    w->saved = seconds();
    w->saving_takes = w->saved - began;
    w->changed = status != KB_OK;
}

static void save_if_due(struct watch *w)
{
    if (w->changed && w->now - w->saved >= fmax(state_every, state_share * w->saving_takes))
        save(w);
}

/* One watch a state: its lock lies beside it, since the state itself is replaced. */
static kb_status take_lock(struct watch *w, kb_error *err)
{
    const char *state = w->options->state;
    if (!state)
        return KB_OK;
    size_t size = strlen(state) + sizeof ".lock";
    char *path = malloc(size);
    if (!path)
        return kb_fail_memory(err, "a file name");
    snprintf(path, size, "%s.lock", state);
    w->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    kb_status status = KB_OK;
    if (w->lock < 0)
        status = kb_fail_errno(err, path, "cannot be written", errno);
    else if (flock(w->lock, LOCK_EX | LOCK_NB) != 0)
        status = kb_fail(err, KB_ERR_USAGE, "%s: another watch has it", state);
    free(path);
    return status;
}

static kb_status remember(void *ctx, const char *name, size_t length, kb_error *err)
{
    struct watch *w = ctx;
    return kb_stream_remember(w->stream, name, length, err);
}

static kb_status restore(struct watch *w, kb_watch_state *state, const kb_watch_about *about,
                         kb_error *err)
{
    kb_status status =
        state ? kb_watch_state_read(state, w->follow, w->stream, w->now, err) : KB_OK;
    if (status)
        return status;
    bool same = state && about->model == w->model_number;
    if (same && kb_watch_state_read_rates(state, w->rates, NULL))
        say(w, false, "the history of rates begins anew");
    if (w->sink->recover)
        status = w->sink->recover(w->sink->ctx, about->place, (kb_ledger_reader){remember, w}, err);
    return status;
}

/* --- beginning and end -------------------------------------------------------------------- */

static kb_status make_parts(struct watch *w, kb_error *err)
{
    const kb_watch_options *o = w->options;
    const kb_features *features = kb_model_features(w->model);
    kb_stream_options streaming = {.timesteps = kb_features_timesteps(features),
                                   .fill = kb_features_fill(features),
                                   .open = o->open,
                                   .overlaid = true};
    kb_follow_options following = {.settle = o->settle,
                                   .columns = o->columns,
                                   .timesteps = streaming.timesteps,
                                   .fill = streaming.fill,
                                   .problem = o->problem,
                                   .progress = w->progress};
    w->model_number = number_of(o->model);
    w->rates = new_rates(w->model);
    if (!w->rates)
        return kb_fail_memory(err, "rates");
    kb_status status = kb_stream_create(&w->stream, &streaming, w->seed, err);
    return status ? status : kb_follow_create(&w->follow, o->dir, &following, err);
}

static kb_status begin(struct watch *w, kb_error *err)
{
    kb_watch_state *state = NULL;
    kb_watch_about about = {0};
    w->now = w->labelled = w->told = w->saved = seconds();
    w->hangups = atomic_load(w->options->hangups);
    kb_status status = load_model(&w->model, w->options->model, err);
    if (!status)
        status = take_lock(w, err);
    if (!status && w->options->state)
        status = kb_watch_state_open(&state, &about, w->options->state, err);
    w->seed = state ? about.seed : kb_secret();
    if (!status)
        status = make_parts(w, err);
    if (!status)
        status = restore(w, state, &about, err);
    kb_watch_state_close(state);
    return status;
}

static void end(struct watch *w)
{
    kb_follow_free(w->follow);
    kb_stream_free(w->stream);
    kb_rates_free(w->rates);
    kb_model_free(w->model);
    if (w->lock >= 0)
        close(w->lock);
}

/* --- labels ------------------------------------------------------------------------------- */

static kb_status take_labels(void *ctx, const kb_labels *labels, kb_error *err)
{
    struct watch *w = ctx;
    for (size_t i = 0; i < labels->count; i++) {
        const kb_assignment *a = &labels->assigned[i];
        kb_rates_add(w->rates, a->cluster, a->emerging);
        w->emerging += a->emerging;
    }
    w->sessions += labels->count;
    return w->sink->labels.take(w->sink->labels.ctx, labels, err);
}

static kb_status label(struct watch *w, kb_error *err)
{
    if (!kb_stream_ended(w->stream))
        return KB_OK;
    kb_label_sink sink = {take_labels, w};
    kb_status status = kb_label_ended(w->stream, w->model, sink, w->pool, err);
    w->labelled = w->now;
    w->changed = true;
    if (!status && !w->sink->place)
        save(w); /* what was written cannot be read back */
    return status;
}

/* --- what is told ------------------------------------------------------------------------- */

static void tell_rate(const struct watch *w, const kb_rate *rate)
{
    char what[48];
    if (rate->cluster)
        snprintf(what, sizeof what, "cluster %u", rate->cluster);
    else
        snprintf(what, sizeof what, "emerging sessions");
    double n = (double)kb_rates_window(w->rates), N = kb_rates_history(w->rates);
    double share = 100 * (double)rate->window / n, before = 100 * rate->history / N;
    if (rate->departs)
        say(w, true, "alarm: %s: %llu of %.0f sessions (%.1f%%), %.1f%% before (p = %.2g)", what,
            (unsigned long long)rate->window, n, share, before, rate->p);
    else
        say(w, true, "%s: as usual again, %.1f%% (p = %.2g)", what, share, rate->p);
}

/* The window is judged once it has enough sessions, however long that takes. */
static void judge_rates(struct watch *w)
{
    if (kb_rates_window(w->rates) < LEAST_WINDOW)
        return;
    kb_rates_close(w->rates, w->options->alarm);
    for (size_t i = 0; i < kb_rates_count(w->rates); i++) {
        kb_rate rate = kb_rates_get(w->rates, i);
        if (rate.tells && w->options->alarm > 0)
            tell_rate(w, &rate);
    }
    w->changed = true;
}

static void summarise(struct watch *w)
{
    char late[48] = "";
    uint64_t rows = w->count.rows - w->before.rows, left = w->count.late - w->before.late;
    if (left)
        snprintf(late, sizeof late, ", %llu late rows left out", (unsigned long long)left);
    say(w, false,
        "%llu sessions, %llu emerging, in %.0f s; %llu rows, %.1f MB read%s; %zu sessions open",
        (unsigned long long)w->sessions, (unsigned long long)w->emerging, w->now - w->told,
        (unsigned long long)rows, (double)(kb_follow_bytes(w->follow) - w->bytes_before) / 1e6,
        late, kb_stream_open(w->stream));
    judge_rates(w);
    w->before = w->count;
    w->bytes_before = kb_follow_bytes(w->follow);
    w->sessions = w->emerging = 0;
    w->told = w->now;
}

/* --- working ------------------------------------------------------------------------------ */

/* SIGHUP, mostly: the output first, so that what is labelled by the new model is in the new file.
 */
static kb_status answer_hangup(struct watch *w, kb_error *err)
{
    unsigned hangups = atomic_load(w->options->hangups);
    if (hangups == w->hangups)
        return KB_OK;
    w->hangups = hangups;
    kb_status status = w->sink->reopen ? w->sink->reopen(w->sink->ctx, err) : KB_OK;
    if (!status)
        status = reload_model(w, err);
    if (!status)
        save(w);
    return status;
}

/* Not at once, so that a writer of many rows is not met at each of them. */
static void wait_for_news(const struct watch *w)
{
    struct timespec pause = {0, PAUSE_MS * 1000000L};
    nanosleep(&pause, NULL);
    struct pollfd news = {kb_follow_fd(w->follow), POLLIN, 0};
    (void)poll(&news, 1, WAIT_MS);
}

/* All that the folder has was read. */
static void on_caught_up(struct watch *w)
{
    kb_stream_end_quiet(w->stream, w->now - w->options->settle);
    if (w->caught_up)
        return;
    w->caught_up = true;
    save(w);
    if (!w->state_failed)
        kb_stream_forget_again(w->stream);
}

/* One round: a piece of a file, and what is complete by now. */
static kb_status step(struct watch *w, kb_error *err)
{
    bool busy = false;
    uint64_t rows = w->count.rows;
    w->now = seconds();
    kb_status status = answer_hangup(w, err);
    if (!status)
        status = kb_follow_look(w->follow, w->now, err);
    if (!status)
        status = kb_follow_read(w->follow, w->stream, w->now, &w->count, &busy, err);
    if (status)
        return status;
    w->changed |= busy || w->count.rows != rows;
    if (!busy)
        on_caught_up(w);
    if (kb_stream_ended(w->stream) >= KB_STREAM_BATCH || w->now - w->labelled >= batch_every)
        status = label(w, err);
    if (!status)
        save_if_due(w);
    if (!status && w->now - w->told >= w->options->every)
        summarise(w);
    if (!status && !busy)
        wait_for_news(w);
    return status;
}

static kb_status work(struct watch *w, kb_error *err)
{
    kb_status status = KB_OK;
    while (!status && !kb_cancelled(w->progress))
        status = step(w, err);
    if (status && status != KB_ERR_CANCELLED)
        return status;
    kb_progress_report(w->progress, "writing", 0, 0);
    save(w);
    return kb_fail(err, KB_ERR_CANCELLED, "cancelled");
}

kb_status kb_watch(const kb_watch_options *options, const kb_watch_sink *sink, kb_pool *pool,
                   const kb_progress *progress, kb_error *err)
{
    struct watch w = {
        .options = options, .sink = sink, .pool = pool, .progress = progress, .lock = -1};
    kb_status status = begin(&w, err);
    if (!status)
        status = work(&w, err);
    end(&w);
    return status;
}
