/* Agreement of assignments with the labels of sessions.csv. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "memory.h"
#include "pipeline.h"
#include "scores.h"

struct scoring {
    const kb_corpus *corpus;
    const kb_assignment *assigned;
    size_t sessions;
    uint32_t *label;   /* by session; KB_NAME_NONE without one */
    bool *in_training; /* by label: some training session has it */
    uint32_t *a, *b;   /* scratch: labels and clusters of a subset */
};

static kb_status read_labels(struct scoring *s, kb_error *err)
{
    kb_names *names = kb_names_create();
    if (!names)
        return kb_fail_memory(err, "labels");
    for (size_t i = 0; i < s->sessions; i++) {
        const kb_session *session = kb_corpus_session(s->corpus, i);
        s->label[i] = KB_NAME_NONE;
        if (!*session->label)
            continue;
        s->label[i] = kb_names_add(names, session->label, strlen(session->label));
        if (s->label[i] == KB_NAME_NONE) {
            kb_names_free(names);
            return kb_fail_memory(err, "labels");
        }
        if (session->split == KB_SPLIT_TRAIN)
            s->in_training[s->label[i]] = true;
    }
    size_t count = kb_names_count(names);
    kb_names_free(names);
    if (!count)
        return kb_fail(err, KB_ERR_FORMAT, "%s: no session has a label", kb_corpus_path(s->corpus));
    return KB_OK;
}

/* A row for SPLIT (KB_SPLITS: all). *ANY: there is one. */
static kb_status score_split(struct scoring *s, size_t split, kb_score_row *row, bool *any,
                             kb_error *err)
{
    size_t n = 0;
    for (size_t i = 0; i < s->sessions; i++) {
        const kb_session *session = kb_corpus_session(s->corpus, i);
        if (s->label[i] == KB_NAME_NONE || !s->assigned[i].cluster ||
            (split != KB_SPLITS && session->split != (kb_split)split))
            continue;
        s->a[n] = s->label[i];
        s->b[n++] = s->assigned[i].cluster;
    }
    *any = n > 0;
    if (!n)
        return KB_OK;
    kb_agreement agreement;
    kb_status status = kb_agreement_of(&agreement, s->a, s->b, n, err);
    if (status)
        return status;
    *row = (kb_score_row){.split = split == KB_SPLITS ? "all" : kb_split_name((kb_split)split),
                          .sessions = n,
                          .accuracy = agreement.accuracy,
                          .nmi = agreement.nmi,
                          .ari = agreement.ari,
                          .emerging_auroc = (double)NAN};
    return KB_OK;
}

static kb_status score_novelty(struct scoring *s, double *auroc, kb_error *err)
{
    double *score = kb_calloc(s->sessions, sizeof *score);
    bool *novel = kb_calloc(s->sessions, sizeof *novel);
    kb_status status = score && novel ? KB_OK : kb_fail_memory(err, "novelty");
    size_t n = 0;
    for (size_t i = 0; !status && i < s->sessions; i++) {
        const kb_session *session = kb_corpus_session(s->corpus, i);
        if (session->split == KB_SPLIT_TRAIN || !s->assigned[i].cluster)
            continue;
        score[n] = s->assigned[i].novelty;
        novel[n++] = session->split == KB_SPLIT_EMERGING && s->label[i] != KB_NAME_NONE &&
                     !s->in_training[s->label[i]];
    }
    if (!status)
        *auroc = kb_auroc(score, novel, n);
    free(score);
    free(novel);
    return status;
}

static kb_status score_all(struct scoring *s, kb_score_row *rows, size_t *count, kb_error *err)
{
    kb_status status = read_labels(s, err);
    *count = 0;
    for (size_t split = 0; !status && split <= KB_SPLITS; split++) {
        bool any;
        status = score_split(s, split, &rows[*count], &any, err);
        *count += !status && any;
    }
    if (!status && *count)
        status = score_novelty(s, &rows[*count - 1].emerging_auroc, err);
    return status;
}

kb_status kb_score_against_labels(kb_score_row *rows, size_t *count, const kb_corpus *corpus,
                                  const kb_assignment *assigned, kb_error *err)
{
    size_t n = kb_corpus_sessions(corpus);
    struct scoring s = {.corpus = corpus,
                        .assigned = assigned,
                        .sessions = n,
                        .label = kb_calloc(n, sizeof(uint32_t)),
                        .in_training = kb_calloc(n, sizeof(bool)),
                        .a = kb_calloc(n, sizeof(uint32_t)),
                        .b = kb_calloc(n, sizeof(uint32_t))};
    kb_status status = s.label && s.in_training && s.a && s.b ? score_all(&s, rows, count, err)
                                                              : kb_fail_memory(err, "labels");
    free(s.label);
    free(s.in_training);
    free(s.a);
    free(s.b);
    return status;
}
