/* record: numbers and texts as bytes, for the state of a watch: little-endian, lengths before
 * texts.
 *
 * Writing remembers that there was no memory, reading that there was too little or nonsense, so
 * that both are asked once, at the end. */
#ifndef KB_RECORD_H
#define KB_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct kb_record {
    unsigned char *bytes; /* the writer's own; freed by kb_record_clear */
    size_t length, capacity;
    bool no_memory;
} kb_record;

void kb_record_clear(kb_record *record);
void kb_record_u64(kb_record *record, uint64_t value);
void kb_record_u32(kb_record *record, uint32_t value);
void kb_record_real(kb_record *record, double value);
void kb_record_float(kb_record *record, float value);
void kb_record_text(kb_record *record, const char *text, size_t length);

/* What is read next; BROKEN once something was not there: everything is 0 or "" from then on. */
typedef struct kb_record_reader {
    const unsigned char *at;
    size_t left;
    bool broken;
} kb_record_reader;

uint64_t kb_read_u64(kb_record_reader *reader);
uint32_t kb_read_u32(kb_record_reader *reader);
double kb_read_real(kb_record_reader *reader);
float kb_read_float(kb_record_reader *reader);
/* LENGTH bytes inside what is read, without a NUL. */
const char *kb_read_text(kb_record_reader *reader, size_t *length);
/* How many things of at least SIZE bytes follow: a count that cannot be true is broken, and 0. */
size_t kb_read_count(kb_record_reader *reader, size_t size);

#endif
