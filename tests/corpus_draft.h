/* A corpus with a log, printed into memory by a test, then written and loaded. */
#ifndef KB_TEST_CORPUS_DRAFT_H
#define KB_TEST_CORPUS_DRAFT_H

#include <stdio.h>
#include <stdlib.h>

#include "corpus.h"
#include "corpus_files.h"

enum { DRAFT_EVENTS, DRAFT_SESSIONS, DRAFT_METRICS, DRAFT_FILES };

typedef struct corpus_draft {
    FILE *files[DRAFT_FILES]; /* for the test to print rows to */
    char *text[DRAFT_FILES];
    size_t size[DRAFT_FILES];
} corpus_draft;

/* Opens the files and writes their headers: EVENTS, and those of sessions.csv (session,user) and
 * metrics.csv in long form. */
static inline void begin_draft(corpus_draft *draft, const char *events)
{
    for (int i = 0; i < DRAFT_FILES; i++)
        draft->files[i] = open_memstream(&draft->text[i], &draft->size[i]);
    fprintf(draft->files[DRAFT_EVENTS], "%s\n", events);
    fputs("session,user\n", draft->files[DRAFT_SESSIONS]);
    fputs("session,time,object,value\n", draft->files[DRAFT_METRICS]);
}

/* Ends the draft; the caller frees the corpus. */
static inline kb_corpus *load_draft(corpus_draft *draft)
{
    static const char *const names[DRAFT_FILES] = {"events.csv", "sessions.csv", "metrics.csv"};
    char folder[256];
    make_folder(folder, sizeof folder);
    for (int i = 0; i < DRAFT_FILES; i++) {
        fclose(draft->files[i]);
        write_bytes(folder, names[i], draft->text[i], draft->size[i]);
        free(draft->text[i]);
    }
    kb_corpus *corpus;
    kb_corpus_options reading = kb_corpus_defaults();
    assert_int_equal(kb_corpus_load(&corpus, folder, &reading, NULL, NULL), KB_OK);
    remove_folder(folder);
    return corpus;
}

#endif
