/* What the tests of imports share: a folder with an input, the import, and what came of it. */
#ifndef KB_IMPORT_SUPPORT_H
#define KB_IMPORT_SUPPORT_H

#include <stdbool.h>

#include "corpus.h"
#include "import.h"

enum { TRIAL_TEXT = 64 * 1024 };

typedef struct trial {
    char folder[256]; /* holds in/ and, after a success, out/ */
    char in[512], out[512];
    kb_import_options options; /* all problems and notes go to the texts below */
    kb_import_result result;
    kb_error err;
    char problems[TRIAL_TEXT]; /* "FILE:LINE: reason\n" each, FILE within in/ */
    char notes[4096];
} trial;

void trial_begin(trial *t);
void trial_end(trial *t);

/* Writes in/NAME, folders included; compressed when NAME ends in ".gz". */
void trial_put(trial *t, const char *name, const char *text);
void trial_put_bytes(trial *t, const char *name, const void *bytes, size_t length);
/* Cuts in/NAME to LENGTH bytes. */
void trial_cut(trial *t, const char *name, long length);
/* Where in/NAME is, until the next call. */
const char *trial_path(const trial *t, const char *name);
/* The fixture's path, until the next call. */
const char *import_fixture(const char *name);

/* Imports IN (NULL: in/) into out/. */
kb_status trial_import(trial *t, kb_import_format format, const char *in);
/* The same, where it must succeed. */
void trial_succeed(trial *t, kb_import_format format, const char *in);
/* The same of TEXT on standard input: a pipe, byte by byte, the first SLOW of them one at a time.
 */
void trial_succeed_piped(trial *t, kb_import_format format, const char *text, size_t slow);
/* The same, where it must be refused: KB_ERR_FORMAT with TEXT in the error, and nothing left. */
void trial_refused(trial *t, kb_import_format format, const char *in, const char *text);

/* The rows of out/NAME behind its header, which must be HEADER; "" when the file is not there.
 * Valid until the next call. */
const char *trial_rows(const trial *t, const char *name, const char *header);
const char *trial_metrics(const trial *t);
const char *trial_events(const trial *t);
const char *trial_sessions(const trial *t);
/* out/ is not there. */
bool trial_nothing(const trial *t);
/* out/, strictly read. */
kb_corpus *trial_load(const trial *t);
/* The reading of OBJECT in SESSION at the STEPth time; -1: it has none. */
double trial_value(const kb_corpus *corpus, const char *session, size_t step, const char *object);

/* Imports ROUNDS versions of the LENGTH bytes at TEXT, each damaged at random in a few places, as
 * in/NAME. Whatever the damage does, the import ends with KB_OK or KB_ERR_FORMAT, and a corpus that
 * it leaves can be read. */
void trial_damage(kb_import_format format, const char *name, const char *fields, const char *text,
                  size_t length, size_t rounds);

#endif
