/* What the fuzz targets share: files and folders made from an input, and checks.
 *
 * A target is a C file with LLVMFuzzerTestOneInput, called with one input after the other. Built
 * for fuzzing it is linked with libFuzzer, which makes the inputs up; in the ordinary build with
 * replay.c, which runs the seeds and everything that was ever found. What must not be ends in
 * abort(). */
#ifndef KB_FUZZ_SUPPORT_H
#define KB_FUZZ_SUPPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "pool.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
/* Of a target that knows better than libFuzzer how its inputs are changed. */
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t room, unsigned seed);
/* libFuzzer's own changes, for such a target. */
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t room) __attribute__((weak));

/* --- checks ------------------------------------------------------------------------------ */
/* Aborts with the text unless GOOD. */
void fuzz_check(bool good, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Aborts, showing both, unless A and B are the same. */
void fuzz_same(const char *what, const char *a, const char *b);

/* --- inputs ------------------------------------------------------------------------------ */
/* A number that depends on every byte: for choices that an input should not have to spell. */
uint64_t fuzz_hash(const uint8_t *data, size_t size);
bool fuzz_is_gzip(const uint8_t *data, size_t size);
/* The input up to its first NUL as a string in a block just as long. The caller frees. */
char *fuzz_string(const uint8_t *data, size_t size);

/* A line "@@HEAD" begins a part of an input. What comes before the first such line is a part too,
 * the first one, whose head is empty. */
typedef struct fuzz_part {
    const char *head; /* LENGTH bytes, not a string */
    size_t length;
    const uint8_t *body;
    size_t size;
} fuzz_part;

enum { FUZZ_PARTS = 8 };

/* Returns how many parts there are, at least one; the last of FUZZ_PARTS has all the rest. */
size_t fuzz_split(fuzz_part parts[FUZZ_PARTS], const uint8_t *data, size_t size);
/* C is among the bytes of PART's body. */
bool fuzz_has(const fuzz_part *part, char c);

/* --- files ------------------------------------------------------------------------------- */
/* A regular file that only this process has. */
typedef struct fuzz_file {
    int fd;
    char path[40];
} fuzz_file;

fuzz_file fuzz_file_make(const void *bytes, size_t size);
void fuzz_file_remove(fuzz_file *file);

enum { FUZZ_PATH = 256 };

/* A new folder below $TMPDIR. */
void fuzz_folder_make(char folder[FUZZ_PATH]);
void fuzz_folder_remove(const char *folder); /* with all that is in it */
/* FOLDER/NAME; a folder in NAME is made. PACKED: gzip-compressed. */
void fuzz_write(const char *folder, const char *name, const void *bytes, size_t size, bool packed);

/* --- threads ----------------------------------------------------------------------------- */
/* Three threads, the same ones for all inputs. */
kb_pool *fuzz_pool(void);

#endif
