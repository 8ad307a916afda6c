#include "checkpoint.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "container.h"
#include "memory.h"

static const kb_container_kind kind = {{'K', 'B', 'S', 'T', 'A', 'T', 'E', '\n'}, 1, "checkpoint"};

/* --- the numbers ------------------------------------------------------------------------- */

static const char state_format[] = "%zu %zu %d %d %la %la %la %la %zu %zu %la %llu\n";

static void write_state(char *text, size_t size, const kb_training_state *s, uint64_t adam_steps)
{
    snprintf(text, size, state_format, s->epoch, s->position, (int)s->finished, s->retries,
             s->learning_rate, s->loss.total, s->loss.reconstruction, s->loss.kl, s->best_epoch,
             s->epochs_run, s->best_loss, (unsigned long long)adam_steps);
}

static bool read_state(const char *text, kb_training_state *s, uint64_t *adam_steps)
{
    unsigned long long steps;
    int finished;
    *s = (kb_training_state){0};
    if (sscanf(text, state_format, &s->epoch, &s->position, &finished, &s->retries,
               &s->learning_rate, &s->loss.total, &s->loss.reconstruction, &s->loss.kl,
               &s->best_epoch, &s->epochs_run, &s->best_loss, &steps) != 12)
        return false;
    s->finished = finished != 0;
    *adam_steps = steps;
    return s->epoch > 0 && s->learning_rate > 0 && !isnan(s->best_loss);
}

/* --- writing ----------------------------------------------------------------------------- */

/* What the network has on its device: w, m and v, one after the other. */
static float *host_copy(const kb_network *net)
{
    size_t p = net->layout.parameters, floats;
    float *copy = kb_size_mul(p, 3, &floats) ? kb_alloc_aligned(floats, sizeof *copy) : NULL;
    if (copy) {
        net->dev->ops->get(net->dev, copy, net->w, p);
        net->dev->ops->get(net->dev, copy + p, net->m, p);
        net->dev->ops->get(net->dev, copy + 2 * p, net->v, p);
    }
    return copy;
}

static kb_status fill_writer(kb_container_writer *writer, const char *key, const char *state,
                             const float *network, const float *best, size_t p, kb_error *err)
{
    kb_status status = kb_container_add_text(writer, "key", key, strlen(key), err);
    if (!status)
        status = kb_container_add_text(writer, "state", state, strlen(state), err);
    if (!status)
        status = kb_container_add_floats(writer, "network", network, 3 * p, err);
    if (!status)
        status = kb_container_add_floats(writer, "best", best, p, err);
    return status;
}

kb_status kb_checkpoint_write(const char *path, const char *key, const kb_training_state *state,
                              const kb_network *net, const float *best, bool lasting, kb_error *err)
{
    char text[512];
    write_state(text, sizeof text, state, net->adam_steps);
    float *network = host_copy(net);
    kb_container_writer *writer = kb_container_writer_create(&kind);
    kb_status status = network && writer ? fill_writer(writer, key, text, network, best,
                                                       net->layout.parameters, err)
                                         : kb_fail_memory(err, "a checkpoint");
    if (!status)
        status = kb_container_write(writer, path, lasting, NULL, err);
    kb_container_writer_free(writer);
    free(network);
    return status;
}

/* --- reading ----------------------------------------------------------------------------- */

static size_t line_length(const char *line)
{
    return strcspn(line, "\n");
}

/* KEY and OTHER differ: tells the first line that does. */
static kb_status fail_foreign(const char *path, const char *theirs, const char *ours, kb_error *err)
{
    while (*theirs && *ours && line_length(theirs) == line_length(ours) &&
           memcmp(theirs, ours, line_length(ours)) == 0) {
        theirs += line_length(theirs) + (theirs[line_length(theirs)] != '\0');
        ours += line_length(ours) + (ours[line_length(ours)] != '\0');
    }
    return kb_fail(err, KB_ERR_USAGE,
                   "%s: is of another training, with %.*s where this one has %.*s", path,
                   (int)line_length(theirs), theirs, (int)line_length(ours), ours);
}

static kb_status read_texts(const kb_container_reader *reader, const char *path, const char *key,
                            kb_training_state *state, uint64_t *adam_steps, kb_error *err)
{
    char *theirs = NULL, *text = NULL;
    size_t length;
    kb_status status = kb_container_text(reader, "key", &theirs, &length, err);
    if (!status && strcmp(theirs, key) != 0)
        status = fail_foreign(path, theirs, key, err);
    if (!status)
        status = kb_container_text(reader, "state", &text, &length, err);
    if (!status && !read_state(text, state, adam_steps))
        status = kb_fail(err, KB_ERR_FORMAT, "%s: the state of the training is not readable", path);
    free(theirs);
    free(text);
    return status;
}

static kb_status read_floats(const kb_container_reader *reader, kb_network *net, float *best,
                             kb_error *err)
{
    size_t p = net->layout.parameters, floats;
    float *copy = kb_size_mul(p, 3, &floats) ? kb_alloc_aligned(floats, sizeof *copy) : NULL;
    if (!copy)
        return kb_fail_memory(err, "a checkpoint");
    kb_status status = kb_container_floats(reader, "network", copy, floats, err);
    if (!status)
        status = kb_container_floats(reader, "best", best, p, err);
    if (!status) {
        net->dev->ops->put(net->dev, net->w, copy, p);
        net->dev->ops->put(net->dev, net->m, copy + p, p);
        net->dev->ops->put(net->dev, net->v, copy + 2 * p, p);
    }
    free(copy);
    return status;
}

kb_status kb_checkpoint_read(const char *path, const char *key, kb_training_state *state,
                             kb_network *net, float *best, kb_error *err)
{
    kb_container_reader *reader;
    kb_status status = kb_container_open(&reader, &kind, path, err);
    if (status)
        return status;
    status = read_texts(reader, path, key, state, &net->adam_steps, err);
    if (!status)
        status = read_floats(reader, net, best, err);
    kb_container_close(reader);
    return status;
}

kb_status kb_checkpoint_look(const char *path, bool *exists, kb_error *err)
{
    *exists = access(path, F_OK) == 0;
    if (!*exists)
        return KB_OK;
    kb_container_reader *reader;
    kb_status status = kb_container_open(&reader, &kind, path, err);
    if (!status)
        kb_container_close(reader);
    return status;
}
