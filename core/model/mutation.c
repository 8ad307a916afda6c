#include "mutation.h"

#include <cblas.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "blocks.h"
#include "cpu_kernels.h"
#include "memory.h"
#include "model_private.h"
#include "simd.h"

enum {
    BATCH = 4096, /* sessions whose pre-activations are held at a time */
    CHUNK = 64    /* mutated sessions that go through the network together */
};

/* What does not depend on the sessions. */
struct head {
    const kb_model *model;
    size_t w, r, h, k;
    bool unit; /* the view scales each session to unit norm */
    kb_activation act;
    const float *w1;      /* r x H */
    float *origin;        /* a0: H */
    float *to_centroid;   /* Wm C': H x k */
    float *centroid_bias; /* bm C' - |C|^2 / 2: k */
    float *curves;        /* mean scaled curves: D */
};

/* The sessions of a batch. */
struct batch {
    const size_t *sessions;
    const uint32_t *group;
    size_t count;
    kb_blocks blocks;
    float *pre;     /* P: count x H */
    double *norm2;  /* |x|^2: count */
    uint32_t *home; /* nearest centroid: count */
};

/* What one thread works with. */
struct bench {
    float *block;  /* (CHUNK, or a batch's rows) x w */
    float *u;      /* w x H */
    float *moved;  /* CHUNK x r */
    float *effect; /* CHUNK x H */
    float *hidden; /* CHUNK x H */
    float *scores; /* CHUNK x k */
    uint32_t rows[CHUNK];
};

/* --- what does not depend on the sessions ------------------------------------------------- */

static const float *tensor(const kb_model *model, size_t t)
{
    return model->weights + model->layout.tensors[t].offset;
}

static void gemm(size_t m, size_t n, size_t k, float alpha, const float *a, const float *b,
                 float *c)
{
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, (blasint)m, (blasint)n, (blasint)k,
                alpha, a, (blasint)k, b, (blasint)n, 0, c, (blasint)n);
}

static float inverse_scale(const struct head *head)
{
    return (float)(1 / head->model->basis.scale);
}

/* a0 = b1 - mean V W1 / s; without a basis V is the identity. */
static void set_origin(struct head *head)
{
    const kb_basis *basis = &head->model->basis;
    const float *bias = tensor(head->model, KB_ENC1_B);
    for (size_t h = 0; h < head->h; h++)
        head->origin[h] = bias[h];
    for (size_t i = 0; i < head->r; i++) {
        double mean = basis->rank ? basis->offset[i] : (double)basis->mean[i];
        if (mean != 0)
            cblas_saxpy((blasint)head->h, (float)(-mean / basis->scale), head->w1 + i * head->h, 1,
                        head->origin, 1);
    }
}

static void set_centroids(struct head *head)
{
    const kb_model *model = head->model;
    size_t z = model->layout.latent;
    const float *bias = tensor(model, KB_MU_B);
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (blasint)head->h, (blasint)head->k,
                (blasint)z, 1, tensor(model, KB_MU_W), (blasint)z, model->centroids, (blasint)z, 0,
                head->to_centroid, (blasint)head->k);
    for (size_t c = 0; c < head->k; c++) {
        const float *centroid = model->centroids + c * z;
        double sum = 0;
        for (size_t i = 0; i < z; i++)
            sum += (double)centroid[i] * ((double)bias[i] - (double)centroid[i] / 2);
        head->centroid_bias[c] = (float)sum;
    }
}

static kb_status head_open(struct head *head, const kb_model *model, kb_error *err)
{
    const kb_layout *layout = &model->layout;
    size_t dims = kb_features_dims(model->features);
    *head = (struct head){.model = model,
                          .w = kb_features_width(model->features),
                          .r = layout->inputs,
                          .h = layout->hidden,
                          .k = model->clusters,
                          .unit = kb_scale_is_unit(kb_features_scale(model->features)),
                          .act = layout->vae ? KB_ACT_ELU : KB_ACT_TANH,
                          .w1 = tensor(model, KB_ENC1_W)};
    size_t floats;
    if (kb_size_mul(head->h, head->k, &floats))
        head->to_centroid = kb_alloc_aligned(floats, sizeof(float));
    head->origin = kb_alloc_aligned(head->h, sizeof(float));
    head->centroid_bias = kb_alloc_aligned(head->k, sizeof(float));
    head->curves = kb_calloc(dims, sizeof(float));
    if (!head->to_centroid || !head->origin || !head->centroid_bias || !head->curves)
        return kb_fail_memory(err, "mutations");
    set_origin(head);
    set_centroids(head);
    return KB_OK;
}

static void head_close(struct head *head)
{
    free(head->origin);
    free(head->to_centroid);
    free(head->centroid_bias);
    free(head->curves);
}

/* --- a batch of sessions ------------------------------------------------------------------ */

static float *floats_of(size_t rows, size_t cols)
{
    size_t floats;
    return kb_size_mul(rows, cols, &floats) ? kb_alloc_aligned(floats, sizeof(float)) : NULL;
}

static kb_status batch_open(struct batch *batch, const struct head *head, const kb_view *view,
                            const size_t *sessions, const uint32_t *group, size_t count,
                            kb_error *err)
{
    *batch = (struct batch){.sessions = sessions, .group = group, .count = count};
    kb_status status = kb_blocks_create(&batch->blocks, view, sessions, count, err);
    if (status)
        return status;
    batch->pre = floats_of(count, head->h);
    batch->norm2 = kb_calloc(count, sizeof *batch->norm2);
    batch->home = kb_calloc(count, sizeof *batch->home);
    return batch->pre && batch->norm2 && batch->home ? KB_OK : kb_fail_memory(err, "mutations");
}

static void batch_close(struct batch *batch)
{
    kb_blocks_clear(&batch->blocks);
    free(batch->pre);
    free(batch->norm2);
    free(batch->home);
}

/* P = y' W1 with y' = y + mean V / s = x V / s. */
static kb_status pre_of_coordinates(struct batch *batch, const struct head *head,
                                    const kb_progress *progress, kb_error *err)
{
    const kb_basis *basis = &head->model->basis;
    kb_matrix y = kb_matrix_of(floats_of(batch->count, head->r), batch->count, head->r);
    kb_status status = y.data ? kb_basis_project(basis, &batch->blocks, y, NULL, progress, err)
                              : kb_fail_memory(err, "mutations");
    for (size_t i = 0; !status && i < batch->count; i++) {
        float *row = kb_matrix_row(y, i);
        for (size_t c = 0; c < head->r; c++)
            row[c] = (float)((double)row[c] + basis->offset[c] / basis->scale);
    }
    if (!status)
        gemm(batch->count, head->h, head->r, 1, y.data, head->w1, batch->pre);
    free(y.data);
    return status;
}

/* P rows += x_j W1_j / s, object by object. */
static void pre_of_inputs(struct batch *batch, const struct head *head, float *block,
                          float *product)
{
    const kb_blocks *blocks = &batch->blocks;
    memset(batch->pre, 0, batch->count * head->h * sizeof *batch->pre);
    for (size_t j = 0; j < blocks->objects; j++) {
        size_t rows = kb_blocks_rows(blocks, j);
        if (!rows)
            continue;
        kb_blocks_fill(blocks, j, block);
        gemm(rows, head->h, head->w, inverse_scale(head), block, head->w1 + j * head->w * head->h,
             product);
        for (size_t e = 0; e < rows; e++)
            cblas_saxpy((blasint)head->h, 1, product + e * head->h, 1,
                        batch->pre + blocks->entries[blocks->start[j] + e].row * head->h, 1);
    }
}

static void sum_norms(struct batch *batch, const struct head *head, float *block)
{
    const kb_blocks *blocks = &batch->blocks;
    for (size_t j = 0; j < blocks->objects; j++) {
        size_t rows = kb_blocks_rows(blocks, j);
        kb_blocks_fill(blocks, j, block);
        for (size_t e = 0; e < rows; e++)
            batch->norm2[blocks->entries[blocks->start[j] + e].row] +=
                kb_cpu_sum_squares(block + e * head->w, head->w);
    }
}

/* NEAREST (rows) of HIDDEN (rows x H, pre-activations less a0 on entry). */
static void find_nearest(const struct head *head, float *hidden, size_t rows, float *scores,
                         uint32_t *nearest)
{
    kb_cpu_bias_activate(head->act, hidden, head->origin, rows, head->h);
    gemm(rows, head->k, head->h, 1, hidden, head->to_centroid, scores);
    for (size_t i = 0; i < rows; i++) {
        const float *of = scores + i * head->k;
        uint32_t best = 0;
        for (uint32_t c = 1; c < head->k; c++) {
            if (of[c] + head->centroid_bias[c] > of[best] + head->centroid_bias[best])
                best = c;
        }
        nearest[i] = best;
    }
}

static void find_homes(struct batch *batch, const struct head *head, struct bench *bench)
{
    for (size_t i = 0; i < batch->count; i += CHUNK) {
        size_t rows = batch->count - i < CHUNK ? batch->count - i : CHUNK;
        memcpy(bench->hidden, batch->pre + i * head->h, rows * head->h * sizeof(float));
        find_nearest(head, bench->hidden, rows, bench->scores, batch->home + i);
    }
}

static kb_status batch_prepare(struct batch *batch, const struct head *head, struct bench *bench,
                               const kb_progress *progress, kb_error *err)
{
    size_t widest = batch->blocks.widest;
    float *block = floats_of(widest ? widest : 1, head->w);
    float *product = head->model->basis.rank ? NULL : floats_of(widest ? widest : 1, head->h);
    kb_status status = KB_OK;
    if (!block || (!product && !head->model->basis.rank)) {
        status = kb_fail_memory(err, "mutations");
    } else {
        sum_norms(batch, head, block);
        if (head->model->basis.rank)
            status = pre_of_coordinates(batch, head, progress, err);
        else
            pre_of_inputs(batch, head, block, product);
    }
    if (!status)
        find_homes(batch, head, bench);
    free(block);
    free(product);
    return status;
}

/* --- one object --------------------------------------------------------------------------- */

/* What mutating one object needs to know; a piece of work. */
struct mutating {
    const struct head *head;
    const struct batch *batch;
    struct bench *benches;
    size_t first;      /* object of bench 0 */
    size_t objects;    /* of the model */
    kb_mutation *rows; /* groups x objects */
    const kb_progress *progress;
};

static bool use_u(const struct head *head, size_t rows)
{
    return head->model->basis.rank == 0 || rows + 1 > head->w;
}

/* EFFECT (rows x H) = BLOCK (rows x w) U_j, by U_j or, where there are few rows, by way of y. */
static void effects(const struct head *head, struct bench *bench, size_t j, bool with_u,
                    const float *block, size_t rows, float *effect)
{
    if (with_u) {
        gemm(rows, head->h, head->w, 1, block, bench->u, effect);
        return;
    }
    gemm(rows, head->r, head->w, inverse_scale(head), block,
         head->model->basis.vectors + j * head->w * head->r, bench->moved);
    gemm(rows, head->h, head->r, 1, bench->moved, head->w1, effect);
}

static void make_u(const struct head *head, struct bench *bench, size_t j)
{
    size_t w = head->w;
    if (head->model->basis.rank) {
        gemm(w, head->h, head->r, inverse_scale(head), head->model->basis.vectors + j * w * head->r,
             head->w1, bench->u);
        return;
    }
    const float *rows = head->w1 + j * w * head->h;
    for (size_t i = 0; i < w * head->h; i++)
        bench->u[i] = rows[i] * inverse_scale(head);
}

/* g: what takes a session of |x|^2 = NORM2 to unit norm; 1 for views that have no such norm, 0
 * where nothing is left. */
static float new_scale(const struct head *head, double norm2)
{
    const double nothing = 1e-10;
    if (!head->unit)
        return 1;
    return norm2 > nothing ? (float)(1 / sqrt(norm2)) : 0;
}

/* TO = g (P + SIGN * EFFECT). */
KB_SIMD static void change(float *restrict to, const float *restrict pre,
                           const float *restrict effect, float sign, float g, size_t h)
{
    for (size_t i = 0; i < h; i++)
        to[i] = g * (pre[i] + sign * effect[i]);
}

static void count_flips(const struct mutating *m, struct bench *bench, size_t j, size_t rows,
                        bool zeroed)
{
    uint32_t nearest[CHUNK];
    find_nearest(m->head, bench->hidden, rows, bench->scores, nearest);
    for (size_t i = 0; i < rows; i++) {
        uint32_t row = bench->rows[i];
        kb_mutation *of = &m->rows[m->batch->group[row] * m->objects + j];
        bool flipped = nearest[i] != m->batch->home[row];
        *(zeroed ? &of->zeroed : &of->injected) += 1;
        *(zeroed ? &of->zeroed_flips : &of->injected_flips) += flipped;
    }
}

static void zero_object(const struct mutating *m, struct bench *bench, size_t j, bool with_u)
{
    const struct head *head = m->head;
    const kb_blocks *blocks = &m->batch->blocks;
    const kb_block_entry *entries = blocks->entries + blocks->start[j];
    size_t count = kb_blocks_rows(blocks, j);
    for (size_t e = 0; e < count && !kb_cancelled(m->progress); e += CHUNK) {
        size_t rows = count - e < CHUNK ? count - e : CHUNK;
        for (size_t i = 0; i < rows; i++) {
            bench->rows[i] = entries[e + i].row;
            kb_view_block(blocks->view, blocks->sessions[entries[e + i].row], entries[e + i].series,
                          bench->block + i * head->w);
        }
        effects(head, bench, j, with_u, bench->block, rows, bench->effect);
        for (size_t i = 0; i < rows; i++) {
            const float *block = bench->block + i * head->w;
            double left = m->batch->norm2[bench->rows[i]] - kb_cpu_sum_squares(block, head->w);
            change(bench->hidden + i * head->h, m->batch->pre + bench->rows[i] * head->h,
                   bench->effect + i * head->h, -1, new_scale(head, left), head->h);
        }
        count_flips(m, bench, j, rows, true);
    }
}

static void inject_object(const struct mutating *m, struct bench *bench, size_t j, bool with_u)
{
    const struct head *head = m->head;
    const kb_blocks *blocks = &m->batch->blocks;
    const kb_block_entry *next = blocks->entries + blocks->start[j];
    const kb_block_entry *end = blocks->entries + blocks->start[j + 1];
    const float *curve = head->curves + j * head->w;
    double norm2 = kb_cpu_sum_squares(curve, head->w);
    if (norm2 == 0)
        return; /* no session has it: there is nothing to inject */
    effects(head, bench, j, with_u, curve, 1, bench->effect);
    size_t rows = 0;
    for (size_t row = 0; row < m->batch->count && !kb_cancelled(m->progress); row++) {
        if (next < end && next->row == row) {
            next++;
            continue;
        }
        bench->rows[rows] = (uint32_t)row;
        change(bench->hidden + rows * head->h, m->batch->pre + row * head->h, bench->effect, 1,
               new_scale(head, m->batch->norm2[row] + norm2), head->h);
        if (++rows == CHUNK) {
            count_flips(m, bench, j, rows, false);
            rows = 0;
        }
    }
    if (rows)
        count_flips(m, bench, j, rows, false);
}

static void mutate_object(void *ctx, size_t piece)
{
    const struct mutating *m = ctx;
    size_t j = m->first + piece;
    struct bench *bench = &m->benches[piece];
    if (kb_cancelled(m->progress))
        return;
    bool with_u = use_u(m->head, kb_blocks_rows(&m->batch->blocks, j));
    if (with_u)
        make_u(m->head, bench, j);
    zero_object(m, bench, j, with_u);
    inject_object(m, bench, j, with_u);
}

/* --- all of them -------------------------------------------------------------------------- */

static kb_status benches_open(struct bench *benches, size_t count, const struct head *head,
                              kb_error *err)
{
    for (size_t i = 0; i < count; i++) {
        struct bench *b = &benches[i];
        b->block = floats_of(CHUNK, head->w);
        b->u = floats_of(head->w, head->h);
        b->moved = floats_of(CHUNK, head->r);
        b->hidden = floats_of(CHUNK, head->h);
        b->effect = floats_of(CHUNK, head->h);
        b->scores = floats_of(CHUNK, head->k);
        if (!b->block || !b->u || !b->moved || !b->hidden || !b->effect || !b->scores)
            return kb_fail_memory(err, "mutations");
    }
    return KB_OK;
}

static void benches_close(struct bench *benches, size_t count)
{
    for (size_t i = 0; benches && i < count; i++) {
        free(benches[i].block);
        free(benches[i].u);
        free(benches[i].moved);
        free(benches[i].hidden);
        free(benches[i].effect);
        free(benches[i].scores);
    }
    free(benches);
}

/* SUMS (D) += the object's values in the sessions that have it, HAVE (objects) += how many. */
static kb_status add_curves(double *sums, double *have, const kb_view *view, const size_t *sessions,
                            size_t count, kb_error *err)
{
    kb_blocks blocks;
    kb_status status = kb_blocks_create(&blocks, view, sessions, count, err);
    if (status)
        return status;
    float *block = floats_of(blocks.widest ? blocks.widest : 1, blocks.width);
    for (size_t j = 0; block && j < blocks.objects; j++) {
        size_t rows = kb_blocks_rows(&blocks, j);
        kb_blocks_fill(&blocks, j, block);
        for (size_t i = 0; i < rows * blocks.width; i++)
            sums[j * blocks.width + i % blocks.width] += (double)block[i];
        have[j] += (double)rows;
    }
    kb_blocks_clear(&blocks);
    free(block);
    return block ? KB_OK : kb_fail_memory(err, "mutations");
}

static kb_status mean_curves(struct head *head, const kb_view *view, const size_t *sessions,
                             size_t count, const kb_progress *progress, kb_error *err)
{
    size_t objects = kb_features_objects(head->model->features), w = head->w;
    double *sums = kb_calloc(objects * w, sizeof *sums), *have = kb_calloc(objects, sizeof *have);
    kb_status status = sums && have ? KB_OK : kb_fail_memory(err, "mutations");
    for (size_t i = 0; !status && i < count; i += BATCH) {
        size_t rows = count - i < BATCH ? count - i : BATCH;
        status = kb_cancelled(progress) ? kb_fail(err, KB_ERR_CANCELLED, "cancelled")
                                        : add_curves(sums, have, view, sessions + i, rows, err);
    }
    for (size_t i = 0; !status && i < objects * w; i++)
        head->curves[i] = have[i / w] > 0 ? (float)(sums[i] / have[i / w]) : 0;
    free(sums);
    free(have);
    return status;
}

static kb_status mutate_batch(struct mutating *m, size_t threads, size_t done, size_t total,
                              kb_pool *pool, kb_error *err)
{
    for (m->first = 0; m->first < m->objects; m->first += threads) {
        size_t left = m->objects - m->first;
        kb_progress_report(m->progress, "mutating objects", done + m->first, total);
        kb_pool_run(pool, left < threads ? left : threads, mutate_object, m);
        if (kb_cancelled(m->progress))
            return kb_fail(err, KB_ERR_CANCELLED, "cancelled");
    }
    return KB_OK;
}

/* The sessions that are in a group, BATCH at a time. */
static kb_status mutate_all(struct mutating *m, const kb_view *view, const size_t *sessions,
                            const uint32_t *group, size_t count, kb_pool *pool, kb_error *err)
{
    size_t threads = kb_pool_threads(pool), total = (count + BATCH - 1) / BATCH * m->objects;
    kb_status status = KB_OK;
    for (size_t i = 0; !status && i < count; i += BATCH) {
        struct batch batch;
        size_t rows = count - i < BATCH ? count - i : BATCH;
        status = batch_open(&batch, m->head, view, sessions + i, group + i, rows, err);
        if (!status)
            status = batch_prepare(&batch, m->head, &m->benches[0], m->progress, err);
        m->batch = &batch;
        if (!status)
            status = mutate_batch(m, threads, i / BATCH * m->objects, total, pool, err);
        batch_close(&batch);
    }
    return status;
}

/* Those of SESSIONS that are in a group, and their groups, to the front of CHOSEN and OF. */
static size_t choose(size_t *chosen, uint32_t *of, const size_t *sessions, const uint32_t *group,
                     size_t count)
{
    size_t n = 0;
    for (size_t i = 0; i < count; i++) {
        if (group[i] == KB_NO_GROUP)
            continue;
        chosen[n] = sessions[i];
        of[n++] = group[i];
    }
    return n;
}

static kb_status mutate_chosen(struct mutating *m, const kb_view *view, const size_t *sessions,
                               const uint32_t *group, size_t count, kb_pool *pool, kb_error *err)
{
    size_t *chosen = kb_calloc(count, sizeof *chosen);
    uint32_t *of = kb_calloc(count, sizeof *of);
    kb_status status = KB_OK;
    if (chosen && of) {
        size_t n = choose(chosen, of, sessions, group, count);
        status = mutate_all(m, view, chosen, of, n, pool, err);
    } else {
        status = kb_fail_memory(err, "mutations");
    }
    free(chosen);
    free(of);
    return status;
}

/* Keeps the objects that the corpus knows, by their ids there. */
static void name_objects(kb_mutations *out, const kb_view *view, size_t objects, kb_mutation *rows)
{
    const kb_store *store = kb_corpus_store(kb_view_corpus(view));
    for (size_t g = 0, n = 0; g < out->groups; g++) {
        for (uint32_t o = 0; o < kb_store_objects(store); o++) {
            size_t j = kb_view_column(view, o);
            if (j == SIZE_MAX)
                continue;
            out->rows[n] = rows[g * objects + j];
            out->rows[n++].object = o;
            out->objects += g == 0;
        }
    }
}

static kb_status run(kb_mutations *out, struct head *head, const kb_view *view,
                     const size_t *sessions, const uint32_t *group, size_t count, kb_pool *pool,
                     const kb_progress *progress, kb_error *err)
{
    size_t objects = kb_features_objects(head->model->features), cells = 0;
    size_t threads = kb_pool_threads(pool);
    struct mutating m = {.head = head, .objects = objects, .progress = progress};
    if (kb_size_mul(out->groups, objects, &cells)) {
        m.rows = kb_calloc(cells, sizeof *m.rows);
        out->rows = kb_calloc(cells, sizeof *out->rows);
    }
    m.benches = kb_calloc(threads, sizeof *m.benches);
    kb_status status = m.rows && out->rows && m.benches
                           ? benches_open(m.benches, threads, head, err)
                           : kb_fail_memory(err, "mutations");
    if (!status)
        status = mean_curves(head, view, sessions, count, progress, err);
    if (!status)
        status = mutate_chosen(&m, view, sessions, group, count, pool, err);
    if (!status)
        name_objects(out, view, objects, m.rows);
    benches_close(m.benches, threads);
    free(m.rows);
    return status;
}

kb_status kb_mutations_of(kb_mutations *out, const kb_model *model, const kb_corpus *corpus,
                          const size_t *sessions, const uint32_t *group, size_t count,
                          size_t groups, kb_pool *pool, const kb_progress *progress, kb_error *err)
{
    *out = (kb_mutations){.groups = groups};
    if (!kb_model_calibrated(model))
        return kb_fail(err, KB_ERR_USAGE, "the model has no clusters yet: run `kaboom calibrate`");
    kb_view *view = NULL;
    struct head head;
    kb_status status = head_open(&head, model, err);
    if (!status)
        status = kb_view_create(&view, model->features, corpus, err);
    if (!status)
        status = run(out, &head, view, sessions, group, count, pool, progress, err);
    kb_view_free(view);
    head_close(&head);
    if (status)
        kb_mutations_clear(out);
    return status;
}

void kb_mutations_clear(kb_mutations *mutations)
{
    free(mutations->rows);
    *mutations = (kb_mutations){0};
}

/* --- orders and shares -------------------------------------------------------------------- */

/* Both groups have the same sessions: their counts compare as shares do. */
static int by_flips(const void *a, const void *b, void *ctx)
{
    const kb_mutation *rows = ctx;
    const kb_mutation *x = &rows[*(const size_t *)a], *y = &rows[*(const size_t *)b];
    uint32_t p = x->zeroed_flips + x->injected_flips, q = y->zeroed_flips + y->injected_flips;
    if (p != q)
        return p > q ? -1 : 1;
    if (x->zeroed_flips != y->zeroed_flips)
        return x->zeroed_flips > y->zeroed_flips ? -1 : 1;
    return (x->object > y->object) - (x->object < y->object);
}

void kb_mutations_order(const kb_mutations *mutations, size_t group, size_t *order)
{
    kb_mutation *rows = mutations->rows + group * mutations->objects;
    for (size_t i = 0; i < mutations->objects; i++)
        order[i] = i;
    qsort_r(order, mutations->objects, sizeof *order, by_flips, rows);
}

/* Wilson (1927). */
kb_share kb_share_of(size_t part, size_t whole)
{
    const double z = 1.959963984540054, n = (double)whole;
    if (!whole)
        return (kb_share){(double)NAN, (double)NAN, (double)NAN};
    double p = (double)part / n, middle = (p + z * z / (2 * n)) / (1 + z * z / n);
    double half = z / (1 + z * z / n) * sqrt(p * (1 - p) / n + z * z / (4 * n * n));
    return (kb_share){p, part ? middle - half : 0, part < whole ? middle + half : 1};
}
