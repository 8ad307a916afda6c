#include "pack.h"

#include <string.h>

#include "number.h"

kb_status kb_pack_array(kb_packer *packer, const char *section, const void *items, size_t count,
                        size_t size, kb_error *err)
{
    kb_piece *piece = kb_arena_alloc(packer->arena, sizeof *piece);
    if (!piece || !kb_size_mul(count, size, &piece->length))
        return kb_fail_memory(err, section);
    piece->bytes = items;
    return kb_container_add_pieces(packer->writer, section, piece, 1, err);
}

/* One after the other, each with its NUL. */
kb_status kb_pack_names(kb_packer *packer, const char *section, const kb_names *names,
                        kb_error *err)
{
    size_t count = kb_names_count(names), size = 0;
    for (uint32_t id = 0; id < count; id++)
        if (!kb_size_add(size, kb_names_length(names, id) + 1, &size))
            return kb_fail_memory(err, section);
    char *text = kb_arena_alloc(packer->arena, size ? size : 1), *end = text;
    if (!text)
        return kb_fail_memory(err, section);
    for (uint32_t id = 0; id < count; id++) {
        size_t n = kb_names_length(names, id) + 1;
        memcpy(end, kb_names_get(names, id), n);
        end += n;
    }
    return kb_pack_array(packer, section, text, size, 1, err);
}

kb_status kb_unpack_nonsense(const char *section, kb_error *err)
{
    return kb_fail(err, KB_ERR_FORMAT, "section %s makes no sense", section);
}

kb_status kb_unpack_array(kb_container_reader *reader, const char *section, size_t size,
                          const void **items, size_t *count, kb_error *err)
{
    size_t length;
    kb_status status = kb_container_bytes(reader, section, items, &length, err);
    if (status)
        return status;
    *count = length / size;
    return length % size ? kb_unpack_nonsense(section, err) : KB_OK;
}

static kb_status add_names(kb_names *names, const char *section, const char *text, size_t length,
                           bool rising, kb_error *err)
{
    const char *before = NULL;
    for (const char *end = text + length; text < end;) {
        size_t n = strlen(text);
        uint32_t id = (uint32_t)kb_names_count(names);
        if ((rising && before && strcmp(before, text) >= 0) || !kb_utf8_valid(text, n))
            return kb_unpack_nonsense(section, err);
        uint32_t got = kb_names_add(names, text, n);
        if (got == KB_NAME_NONE)
            return kb_fail_memory(err, section);
        if (got != id)
            return kb_unpack_nonsense(section, err);
        before = text;
        text += n + 1;
    }
    return KB_OK;
}

kb_status kb_unpack_names(kb_container_reader *reader, const char *section, bool rising,
                          kb_names **out, kb_error *err)
{
    const void *text;
    size_t length;
    *out = NULL;
    kb_status status = kb_container_bytes(reader, section, &text, &length, err);
    if (status)
        return status;
    if (length && ((const char *)text)[length - 1])
        return kb_unpack_nonsense(section, err);
    kb_names *names = kb_names_create();
    if (!names)
        return kb_fail_memory(err, section);
    status = add_names(names, section, text, length, rising, err);
    if (status)
        kb_names_free(names);
    else
        *out = names;
    return status;
}
