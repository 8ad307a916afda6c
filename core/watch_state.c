#include "watch_state.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "container.h"
#include "memory.h"

static const kb_container_kind kind = {"KBWATCH", 1, "state of a watch"};

struct kb_watch_state {
    kb_container_reader *reader;
    char *path;
};

static kb_status add_record(kb_container_writer *writer, const char *name, kb_piece *piece,
                            const kb_record *record, kb_error *err)
{
    if (record->no_memory)
        return kb_fail_memory(err, "the state");
    *piece = (kb_piece){record->bytes, record->length};
    return kb_container_add_pieces(writer, name, piece, 1, err);
}

kb_status kb_watch_state_write(const char *path, const kb_watch_about *about,
                               const kb_follow *follow, kb_stream *stream, const kb_rates *rates,
                               kb_error *err)
{
    enum { PARTS = 4 };
    static const char *const names[PARTS] = {"watch", "files", "sessions", "rates"};
    kb_record records[PARTS] = {{0}};
    kb_piece pieces[PARTS];
    kb_record_u64(&records[0], about->place.device);
    kb_record_u64(&records[0], about->place.inode);
    kb_record_u64(&records[0], about->place.offset);
    kb_record_u64(&records[0], about->seed);
    kb_record_u64(&records[0], about->model);
    kb_follow_save(follow, &records[1]);
    kb_stream_save(stream, &records[2]);
    kb_rates_save(rates, &records[3]);
    kb_container_writer *writer = kb_container_writer_create(&kind);
    kb_status status = writer ? KB_OK : kb_fail_memory(err, "the state");
    for (int i = 0; !status && i < PARTS; i++)
        status = add_record(writer, names[i], &pieces[i], &records[i], err);
    if (!status)
        status = kb_container_write(writer, path, true, NULL, err);
    kb_container_writer_free(writer);
    for (int i = 0; i < PARTS; i++)
        kb_record_clear(&records[i]);
    return status;
}

/* The bytes of a section; 0 of them are an empty record. */
static kb_status section(kb_watch_state *state, const char *name, kb_record_reader *reader,
                         kb_error *err)
{
    const void *bytes;
    size_t length;
    kb_status status = kb_container_bytes(state->reader, name, &bytes, &length, err);
    *reader = (kb_record_reader){.at = bytes, .left = status ? 0 : length};
    return status;
}

kb_status kb_watch_state_open(kb_watch_state **out, kb_watch_about *about, const char *path,
                              kb_error *err)
{
    *out = NULL;
    *about = (kb_watch_about){0};
    if (access(path, F_OK) != 0 && errno == ENOENT)
        return KB_OK;
    kb_watch_state *state = kb_calloc(1, sizeof *state);
    if (!state || !(state->path = kb_strdup(path))) {
        free(state);
        return kb_fail_memory(err, "the state");
    }
    kb_record_reader r;
    kb_status status = kb_container_open(&state->reader, &kind, path, err);
    if (!status)
        status = section(state, "watch", &r, err);
    if (!status) {
        about->place.device = kb_read_u64(&r);
        about->place.inode = kb_read_u64(&r);
        about->place.offset = kb_read_u64(&r);
        about->seed = kb_read_u64(&r);
        about->model = kb_read_u64(&r);
        if (r.broken)
            status = kb_fail(err, KB_ERR_FORMAT, "%s: not what a watch has written", path);
    }
    if (status)
        kb_watch_state_close(state);
    else
        *out = state;
    return status;
}

kb_status kb_watch_state_read(kb_watch_state *state, kb_follow *follow, kb_stream *stream,
                              double now, kb_error *err)
{
    kb_record_reader r;
    kb_error why = {0};
    kb_status status = section(state, "files", &r, err);
    if (status)
        return status;
    status = kb_follow_restore(follow, &r, &why);
    if (!status) {
        status = section(state, "sessions", &r, err);
        if (status)
            return status;
        status = kb_stream_restore(stream, &r, now, &why);
    }
    return status ? kb_fail(err, status, "%s: %s", state->path, why.text) : KB_OK;
}

kb_status kb_watch_state_read_rates(kb_watch_state *state, kb_rates *rates, kb_error *err)
{
    kb_record_reader r;
    kb_status status = section(state, "rates", &r, err);
    return status ? status : kb_rates_restore(rates, &r, err);
}

void kb_watch_state_close(kb_watch_state *state)
{
    if (!state)
        return;
    kb_container_close(state->reader);
    free(state->path);
    free(state);
}
