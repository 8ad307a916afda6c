/* What the tests of models share: a small generated corpus, loaded. */
#ifndef KB_TEST_MODEL_SUPPORT_H
#define KB_TEST_MODEL_SUPPORT_H

#include "corpus.h"

/* Generates 120 sessions x 60 objects x 40 steps of 4 types (seed 1) in a temporary folder and
 * loads them; stops the test on failure. The folder's name is put into FOLDER. */
kb_corpus *generated_corpus(char *folder, size_t size);
/* The same with other sizes, of 4 types. */
kb_corpus *generated_corpus_of(char *folder, size_t size, size_t sessions, size_t objects,
                               size_t timesteps);
/* SESSIONS sessions of 3 objects over 8 steps, no sessions.csv, as a person would try first. */
kb_corpus *plain_corpus(char *folder, size_t size, size_t sessions);
void remove_folder(const char *folder);

#endif
