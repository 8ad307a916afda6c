/* corpus_private: the inside of a corpus, for the files corpus*.c only. */
#ifndef KB_CORPUS_PRIVATE_H
#define KB_CORPUS_PRIVATE_H

#include "container.h"
#include "corpus.h"

enum { KB_CORPUS_READERS = 2 }; /* of readings, and of events */

struct kb_corpus {
    char *path;
    kb_fill fill;
    kb_store *store;
    kb_session *sessions; /* by id */
    kb_names *texts;      /* behind user, version and label; id 0 is "" */
    kb_events *events;
    kb_problems *problems;
    uint64_t rows;
    size_t files[KB_FILE_KINDS];
    kb_container_reader *readers[KB_CORPUS_READERS]; /* whose memory store and events look into */
    char cache_note[256];
};

#endif
