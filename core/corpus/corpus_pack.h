/* corpus_pack: a corpus as sections of two containers, one of the readings and what is known of
 * sessions, one of events, and back. The problems of each one's files go with it. */
#ifndef KB_CORPUS_PACK_H
#define KB_CORPUS_PACK_H

#include "corpus.h"
#include "pack.h"

/* FILES (COUNT) are those that the part was read from. KB_ERR_USAGE: more problems were found than
 * are kept, so that the part cannot be told again. */
kb_status kb_corpus_pack_readings(const kb_corpus *corpus, kb_packer *packer, const kb_file *files,
                                  size_t count, kb_error *err);
kb_status kb_corpus_pack_events(const kb_corpus *corpus, kb_packer *packer, const kb_file *files,
                                size_t count, kb_error *err);

/* Fills what CORPUS has of the part, and tells its problems. The reader must live as long as the
 * corpus. Under STRICT a part with a problem is refused (KB_ERR_FORMAT). On an error the corpus is
 * as it was. */
kb_status kb_corpus_unpack_readings(kb_corpus *corpus, kb_container_reader *reader,
                                    const kb_file *files, size_t count, size_t timesteps,
                                    bool strict, kb_error *err);
kb_status kb_corpus_unpack_events(kb_corpus *corpus, kb_container_reader *reader,
                                  const kb_file *files, size_t count, bool strict, kb_error *err);

#endif
