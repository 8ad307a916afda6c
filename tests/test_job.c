/* job: news from a worker, its pace, cancelling, waiting, signals. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "job.h"

enum { PATIENCE_MS = 20000 }; /* only how long a broken test hangs */

static bool readable(const kb_job *job, int milliseconds)
{
    struct pollfd p = {.fd = kb_job_fd(job), .events = POLLIN};
    return poll(&p, 1, milliseconds) == 1;
}

/* Reports, waits to be released, then ends with the wanted status. */
struct script {
    sem_t reported, go;
    const char *phase;
    uint64_t reports;
    kb_status status;
    const char *text;
};

static kb_status play(void *ctx, const kb_progress *progress, kb_error *err)
{
    struct script *s = ctx;
    for (uint64_t i = 1; i <= s->reports; i++)
        kb_progress_report(progress, s->phase, i, s->reports + 1);
    sem_post(&s->reported);
    sem_wait(&s->go);
    return s->status ? kb_fail(err, s->status, "%s", s->text) : KB_OK;
}

static kb_job *start(struct script *s)
{
    sem_init(&s->reported, 0, 0);
    sem_init(&s->go, 0, 0);
    kb_job *job;
    assert_int_equal(kb_job_start(&job, play, s, NULL), KB_OK);
    sem_wait(&s->reported);
    return job;
}

static void end(kb_job *job, struct script *s)
{
    sem_post(&s->go);
    assert_true(kb_job_wait(job, -1));
    kb_job_free(job);
    sem_destroy(&s->go);
    sem_destroy(&s->reported);
}

static void a_report_makes_the_descriptor_readable_and_is_told(void **state)
{
    (void)state;
    struct script s = {.phase = "reading", .reports = 3};
    kb_job *job = start(&s);
    assert_true(readable(job, PATIENCE_MS));
    kb_job_state now;
    kb_job_poll(job, &now);
    assert_string_equal(now.phase, "reading");
    assert_int_equal(now.done, 3);
    assert_int_equal(now.total, 4);
    assert_false(now.finished);
    assert_true(now.seconds >= now.phase_seconds && now.phase_seconds >= 0);
    assert_false(readable(job, 0));
    end(job, &s);
}

static void before_the_first_report_the_phase_is_empty(void **state)
{
    (void)state;
    struct script s = {.reports = 0};
    kb_job *job = start(&s);
    kb_job_state now;
    kb_job_poll(job, &now);
    assert_string_equal(now.phase, "");
    assert_false(readable(job, 0));
    end(job, &s);
}

static void a_long_phase_name_is_cut_and_stays_one_phase(void **state)
{
    (void)state;
    static const char name[] =
        "a name of a phase that is longer than the room that a state has for it";
    struct script s = {.phase = name, .reports = 2};
    kb_job *job = start(&s);
    kb_job_state now;
    kb_job_poll(job, &now);
    assert_int_equal(strlen(now.phase), sizeof now.phase - 1);
    assert_memory_equal(now.phase, name, sizeof now.phase - 1);
    end(job, &s);
}

static void the_end_is_told_with_its_error(void **state)
{
    (void)state;
    struct script s = {.status = KB_ERR_FORMAT, .text = "metrics.csv:3: no value"};
    kb_job *job = start(&s);
    sem_post(&s.go);
    assert_true(readable(job, PATIENCE_MS));
    kb_job_state now, later;
    kb_job_poll(job, &now);
    assert_true(now.finished);
    assert_int_equal(now.status, KB_ERR_FORMAT);
    assert_int_equal(now.error.status, KB_ERR_FORMAT);
    assert_string_equal(now.error.text, "metrics.csv:3: no value");
    usleep(2000);
    kb_job_poll(job, &later);
    assert_true(now.seconds == later.seconds);
    end(job, &s);
}

/* Reports as fast as it can until cancelled. */
static kb_status flood(void *ctx, const kb_progress *progress, kb_error *err)
{
    (void)err;
    uint64_t *reports = ctx;
    while (!kb_cancelled(progress))
        kb_progress_report(progress, "training", ++*reports, 0);
    return KB_ERR_CANCELLED;
}

static double seconds_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void a_flood_of_reports_wakes_twenty_times_a_second(void **state)
{
    (void)state;
    uint64_t reports = 0;
    double began = seconds_now();
    kb_job *job;
    assert_int_equal(kb_job_start(&job, flood, &reports, NULL), KB_OK);
    kb_job_state now;
    for (int wakes = 0; wakes < 5; wakes++) {
        assert_true(readable(job, PATIENCE_MS));
        kb_job_poll(job, &now);
    }
    /* Four gaps at least. The pace is a lower bound, so a busy machine cannot break this. */
    assert_true(seconds_now() - began >= 0.199);
    kb_job_cancel(job);
    assert_true(kb_job_wait(job, -1));
    kb_job_poll(job, &now);
    assert_int_equal(now.status, KB_ERR_CANCELLED);
    assert_int_equal(now.done, reports);
    assert_true(reports > 5);
    kb_job_free(job);
}

/* Two reports with the watcher's look between them, then silence. */
static kb_status report_twice(void *ctx, const kb_progress *progress, kb_error *err)
{
    (void)err;
    struct script *s = ctx;
    kb_progress_report(progress, "training", 1, 2);
    sem_wait(&s->reported);
    kb_progress_report(progress, "training", 2, 2);
    sem_wait(&s->go);
    return KB_OK;
}

static void the_last_report_before_a_silence_is_not_lost(void **state)
{
    (void)state;
    struct script s;
    sem_init(&s.reported, 0, 0);
    sem_init(&s.go, 0, 0);
    kb_job *job;
    assert_int_equal(kb_job_start(&job, report_twice, &s, NULL), KB_OK);
    kb_job_state now;
    assert_true(readable(job, PATIENCE_MS));
    kb_job_poll(job, &now);
    assert_int_equal(now.done, 1);
    sem_post(&s.reported); /* the second report comes before the pace allows the next wake */
    assert_true(readable(job, PATIENCE_MS));
    kb_job_poll(job, &now);
    assert_int_equal(now.done, 2);
    end(job, &s);
}

/* Pokes itself once: the work gets its job through the context. */
struct poking {
    sem_t ready, go;
    kb_job *job;
};

static kb_status poke(void *ctx, const kb_progress *progress, kb_error *err)
{
    (void)err;
    struct poking *p = ctx;
    sem_wait(&p->ready);
    kb_progress_report(progress, "mapping", 1, 2);
    kb_job_poke(p->job);
    sem_wait(&p->go);
    return KB_OK;
}

static void a_poke_is_told_at_once(void **state)
{
    (void)state;
    struct poking p;
    sem_init(&p.ready, 0, 0);
    sem_init(&p.go, 0, 0);
    assert_int_equal(kb_job_start(&p.job, poke, &p, NULL), KB_OK);
    assert_false(readable(p.job, 0));
    sem_post(&p.ready);
    assert_true(readable(p.job, PATIENCE_MS));
    kb_job_state now;
    kb_job_poll(p.job, &now);
    assert_string_equal(now.phase, "mapping");
    sem_post(&p.go);
    kb_job_free(p.job);
    sem_destroy(&p.ready);
    sem_destroy(&p.go);
}

static void waiting_ends_with_its_time_and_free_waits_for_the_work(void **state)
{
    (void)state;
    struct script s = {.reports = 0};
    kb_job *job = start(&s);
    assert_false(kb_job_wait(job, 0));
    assert_false(kb_job_wait(job, 0.01));
    sem_post(&s.go);
    kb_job_free(job);
    kb_job_free(NULL);
    sem_destroy(&s.go);
    sem_destroy(&s.reported);
}

static kb_status look_at_mask(void *ctx, const kb_progress *progress, kb_error *err)
{
    (void)progress;
    (void)err;
    pthread_sigmask(SIG_BLOCK, NULL, ctx);
    return KB_OK;
}

static void the_worker_blocks_what_others_send_and_keeps_its_own_faults(void **state)
{
    (void)state;
    sigset_t mask, before, after;
    pthread_sigmask(SIG_BLOCK, NULL, &before);
    kb_job *job;
    assert_int_equal(kb_job_start(&job, look_at_mask, &mask, NULL), KB_OK);
    pthread_sigmask(SIG_BLOCK, NULL, &after);
    kb_job_free(job);
    static const int blocked[] = {SIGINT, SIGTERM, SIGHUP, SIGWINCH, SIGTSTP, SIGPIPE};
    static const int open[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
    for (size_t i = 0; i < sizeof blocked / sizeof *blocked; i++)
        assert_int_equal(sigismember(&mask, blocked[i]), 1);
    for (size_t i = 0; i < sizeof open / sizeof *open; i++)
        assert_int_equal(sigismember(&mask, open[i]), 0);
    assert_int_equal(sigismember(&before, SIGINT), sigismember(&after, SIGINT));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_report_makes_the_descriptor_readable_and_is_told),
        cmocka_unit_test(before_the_first_report_the_phase_is_empty),
        cmocka_unit_test(a_long_phase_name_is_cut_and_stays_one_phase),
        cmocka_unit_test(the_end_is_told_with_its_error),
        cmocka_unit_test(a_flood_of_reports_wakes_twenty_times_a_second),
        cmocka_unit_test(the_last_report_before_a_silence_is_not_lost),
        cmocka_unit_test(a_poke_is_told_at_once),
        cmocka_unit_test(waiting_ends_with_its_time_and_free_waits_for_the_work),
        cmocka_unit_test(the_worker_blocks_what_others_send_and_keeps_its_own_faults),
    };
    return cmocka_run_group_tests_name("job", tests, NULL, NULL);
}
