/* Containers (container.h) as inputs: without right checksums a changed one would be refused at the
 * door, and without right sizes and places soon behind it. The mutator of the targets that have
 * such inputs is here as well: it changes what sections hold, and puts the file together again. */
#ifndef KB_FUZZ_SECTIONS_H
#define KB_FUZZ_SECTIONS_H

#include <stddef.h>
#include <stdint.h>

#include "container.h"

/* A copy of DATA in which those things are right that tell a damaged file from a good one: its
 * size, and the checksums of the header, the table, and each section that lies in the file.
 * Whatever else is wrong stays. The caller frees. */
uint8_t *fuzz_sections_fixed(const uint8_t *data, size_t size);

/* Reads all sections of the container at PATH in every way there is. */
void fuzz_sections_walk(const kb_container_kind *kind, const char *path);

#endif
