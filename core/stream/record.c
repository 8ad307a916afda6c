#include "record.h"

#include <stdlib.h>
#include <string.h>

#include "memory.h"

/* --- writing ------------------------------------------------------------------------------ */

static void put(kb_record *record, const void *bytes, size_t length)
{
    size_t needed;
    if (record->no_memory || !kb_size_add(record->length, length, &needed) ||
        !kb_grow((void **)&record->bytes, &record->capacity, needed, 1)) {
        record->no_memory = true;
        return;
    }
    if (length)
        memcpy(record->bytes + record->length, bytes, length);
    record->length = needed;
}

void kb_record_clear(kb_record *record)
{
    free(record->bytes);
    *record = (kb_record){0};
}

static void put_number(kb_record *record, uint64_t value, size_t bytes)
{
    unsigned char out[8];
    for (size_t i = 0; i < bytes; i++)
        out[i] = (unsigned char)(value >> 8 * i);
    put(record, out, bytes);
}

void kb_record_u64(kb_record *record, uint64_t value)
{
    put_number(record, value, 8);
}

void kb_record_u32(kb_record *record, uint32_t value)
{
    put_number(record, value, 4);
}

void kb_record_real(kb_record *record, double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    kb_record_u64(record, bits);
}

void kb_record_float(kb_record *record, float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    kb_record_u32(record, bits);
}

void kb_record_text(kb_record *record, const char *text, size_t length)
{
    kb_record_u64(record, length);
    put(record, text, length);
}

/* --- reading ------------------------------------------------------------------------------ */

static const unsigned char *take(kb_record_reader *reader, size_t length)
{
    static const unsigned char nothing[8];
    if (reader->broken || reader->left < length) {
        reader->broken = true;
        return nothing;
    }
    const unsigned char *at = reader->at;
    reader->at += length;
    reader->left -= length;
    return at;
}

static uint64_t take_number(kb_record_reader *reader, size_t bytes)
{
    const unsigned char *in = take(reader, bytes);
    uint64_t value = 0;
    for (size_t i = 0; i < bytes; i++)
        value |= (uint64_t)in[i] << 8 * i;
    return value;
}

uint64_t kb_read_u64(kb_record_reader *reader)
{
    return take_number(reader, 8);
}

uint32_t kb_read_u32(kb_record_reader *reader)
{
    return (uint32_t)take_number(reader, 4);
}

double kb_read_real(kb_record_reader *reader)
{
    uint64_t bits = kb_read_u64(reader);
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

float kb_read_float(kb_record_reader *reader)
{
    uint32_t bits = kb_read_u32(reader);
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

size_t kb_read_count(kb_record_reader *reader, size_t size)
{
    uint64_t count = kb_read_u64(reader);
    if (reader->broken || count > reader->left / size) {
        reader->broken = true;
        return 0;
    }
    return (size_t)count;
}

const char *kb_read_text(kb_record_reader *reader, size_t *length)
{
    *length = kb_read_count(reader, 1);
    const char *text = (const char *)take(reader, *length);
    if (reader->broken)
        *length = 0;
    return text;
}
