/* What of a model goes into which section: "model" holds the numbers as key=value lines, the name
 * lists one name a line (escaped), tensors lie under the names of the layout's table. */
#include "modelfile.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "memory.h"
#include "model_private.h"

static const kb_container_kind kind = {
    .magic = {'K', 'A', 'B', 'O', 'O', 'M', 'D', 'L'}, .version = 1, .noun = "model"};

/* --- text that grows ---------------------------------------------------------------------- */

struct text {
    char *bytes;
    size_t length, capacity;
    bool failed; /* no memory: told once, at the end */
};

static void append(struct text *t, const char *bytes, size_t length)
{
    if (t->failed || !kb_grow((void **)&t->bytes, &t->capacity, t->length + length + 1, 1)) {
        t->failed = true;
        return;
    }
    memcpy(t->bytes + t->length, bytes, length);
    t->length += length;
}

__attribute__((format(printf, 2, 3))) static void appendf(struct text *t, const char *format, ...)
{
    char line[256];
    va_list args;
    va_start(args, format);
    int length = vsnprintf(line, sizeof line, format, args);
    va_end(args);
    append(t, line, length > 0 ? (size_t)length : 0);
}

/* A name as one line: backslash and newline are escaped. */
static void append_name(struct text *t, const char *name)
{
    for (; *name; name++) {
        if (*name == '\n')
            append(t, "\\n", 2);
        else if (*name == '\\')
            append(t, "\\\\", 2);
        else
            append(t, name, 1);
    }
    append(t, "\n", 1);
}

/* The next line of *P as a name, unescaped in place; NULL at the end. */
static char *next_name(char **p)
{
    char *name = *p, *to = name, *from = name;
    if (!*name)
        return NULL;
    for (; *from && *from != '\n'; from++) {
        if (*from == '\\' && from[1]) {
            from++;
            *to++ = *from == 'n' ? '\n' : *from;
        } else {
            *to++ = *from;
        }
    }
    *p = *from ? from + 1 : from;
    *to = '\0';
    return name;
}

/* Frees the text. */
static kb_status add_text(kb_container_writer *w, const char *name, struct text *t, kb_error *err)
{
    kb_status status =
        t->failed ? kb_fail_memory(err, "a model section")
                  : kb_container_add_text(w, name, t->bytes ? t->bytes : "", t->length, err);
    free(t->bytes);
    return status;
}

/* --- saving ------------------------------------------------------------------------------- */

static kb_status add_numbers(kb_container_writer *w, const kb_model *m, kb_error *err)
{
    struct text t = {0};
    appendf(&t, "variant=%s\nseed=%" PRIu64 "\n", kb_variant_name(m->variant), m->seed);
    appendf(&t, "timesteps=%zu\nfill=%s\nscale=%s\nmin_presence=%.17g\n",
            kb_features_timesteps(m->features), kb_fill_name(kb_features_fill(m->features)),
            kb_scale_name(kb_features_scale(m->features)), kb_features_min_presence(m->features));
    appendf(&t, "bins=%zu\n", kb_features_bins(m->features));
    appendf(&t, "inputs=%zu\nhidden=%zu\nlatent=%zu\n", m->layout.inputs, m->layout.hidden,
            m->layout.latent);
    appendf(&t, "basis_rank=%zu\nbasis_scale=%.17g\nbasis_energy=%.17g\nused_dims=%zu\n",
            m->basis.rank, m->basis.scale, m->basis.energy, m->basis.used_dims);
    appendf(&t, "dec_clusters=%zu\nclusters=%zu\nnext_number=%" PRIu32 "\n", m->dec_clusters,
            m->clusters, m->next_number);
    appendf(&t, "calibrations=%" PRIu32 "\nuntil=%" PRId64 "\nuntil_atto=%" PRIu64 "\n",
            m->lineage.calibrations, m->lineage.until.whole, m->lineage.until.atto);
    appendf(&t, "novelty=%s\nfalse_alarms=%.17g\n", kb_novelty_name(m->novelty), m->false_alarms);
    for (size_t i = 0; i < KB_SIGNALS; i++)
        appendf(&t, "signal%zu_median=%.17g\nsignal%zu_spread=%.17g\nsignal%zu_top=%.17g\n", i,
                m->signals[i].median, i, m->signals[i].spread, i, m->signals[i].top);
    appendf(&t, "known=%zu\nknown_flagged=%zu\nknown_kept=%zu\n", m->known.sessions,
            m->known.flagged, m->known.count);
    if (!isnan(m->known.unseen))
        appendf(&t, "known_unseen=%.17g\n", m->known.unseen);
    const kb_reference *r = &m->reference;
    appendf(&t, "reference_sessions=%zu\nreference_groups=%zu\nreference_points=%zu\n", r->sessions,
            r->groups, r->points);
    appendf(&t, "reference_courses=%zu\n", r->courses.classes);
    return add_text(w, "model", &t, err);
}

static kb_status add_names(kb_container_writer *w, const char *section, const kb_names *names,
                           kb_error *err)
{
    struct text t = {0};
    for (size_t i = 0; i < kb_names_count(names); i++)
        append_name(&t, kb_names_get(names, (uint32_t)i));
    return add_text(w, section, &t, err);
}

static kb_status add_objects(kb_container_writer *w, const kb_features *features, kb_error *err)
{
    struct text t = {0};
    for (size_t j = 0; j < kb_features_objects(features); j++)
        append_name(&t, kb_features_object_name(features, j));
    return add_text(w, "objects", &t, err);
}

/* Nothing where it was not kept. */
static kb_status add_clusters_known(kb_container_writer *w, const kb_model *m, kb_error *err)
{
    struct text t = {0};
    for (size_t i = 0; i < m->clusters; i++) {
        if (isnan(m->cluster[i].distance)) {
            free(t.bytes);
            return KB_OK;
        }
        appendf(&t, "%zu %.17g\n", m->cluster[i].known, m->cluster[i].distance);
    }
    return add_text(w, "clusters.known", &t, err);
}

static kb_status add_clusters(kb_container_writer *w, const kb_model *m, kb_error *err)
{
    struct text t = {0}, dec = {0}, traits = {0};
    for (size_t i = 0; i < m->clusters; i++)
        appendf(&t, "%" PRIu32 " %zu %.17g\n", m->cluster[i].number, m->cluster[i].size,
                m->cluster[i].threshold);
    for (size_t j = 0; j < m->dec_clusters; j++)
        appendf(&dec, "%.17g\n", m->dec_weights[j]);
    for (size_t j = 0; m->dec_traits && j < m->dec_clusters; j++)
        appendf(&traits, "%.17g %.17g %d\n", m->dec_traits[j].norm, m->dec_traits[j].confidence,
                m->dec_traits[j].catch_all);
    kb_status status = add_text(w, "clusters", &t, err);
    if (!status)
        status = add_text(w, "dec", &dec, err);
    else
        free(dec.bytes);
    if (!status && m->dec_traits)
        return add_text(w, "dec.traits", &traits, err);
    free(traits.bytes);
    return status;
}

static kb_status add_tensors(kb_container_writer *w, const kb_model *m, kb_error *err)
{
    const size_t z = m->layout.latent;
    const float *divisors = kb_features_divisors(m->features);
    kb_status status = kb_container_add_floats(w, "mean", m->basis.mean, m->basis.dims, err);
    if (!status && divisors)
        status =
            kb_container_add_floats(w, "divisors", divisors, kb_features_objects(m->features), err);
    if (!status && m->basis.rank)
        status = kb_container_add_floats(w, "vectors", m->basis.vectors,
                                         m->basis.dims * m->basis.rank, err);
    for (size_t k = 0; !status && k < KB_TENSORS_MAX; k++) {
        const kb_tensor *tensor = &m->layout.tensors[k];
        if (tensor->rows)
            status = kb_container_add_floats(w, tensor->name, m->weights + tensor->offset,
                                             tensor->rows * tensor->cols, err);
    }
    if (!status && m->dec_clusters)
        status =
            kb_container_add_floats(w, "dec.centroids", m->dec_centroids, m->dec_clusters * z, err);
    if (!status && m->clusters)
        status = kb_container_add_floats(w, "centroids", m->centroids, m->clusters * z, err);
    return status;
}

/* The model's objects seen come from section "seen", its latent units and rank from "model". */
static kb_status add_reference(kb_container_writer *w, const kb_reference *r, kb_error *err)
{
    const struct {
        const char *name;
        const float *floats;
        size_t rows, cols;
    } tensors[] = {
        {"reference.rates", r->rates, r->groups, r->objects},
        {"reference.scale", r->scale, r->objects, 1},
        {"reference.levels", r->levels, r->groups, r->objects},
        {"reference.z", r->z, r->points, r->latent},
        {"reference.y", r->y, r->points, r->leading},
        {"reference.spacing", r->spacing, r->points, 1},
        {"reference.edges", r->edges, r->objects, KB_LEVELS - 1},
        {"reference.counts", r->counts, r->objects, KB_CLASSES},
        {"reference.courses", r->courses.course, r->courses.classes, KB_COURSE_BINS},
        {"reference.course-rates", r->courses.rates, r->groups * r->courses.classes, r->objects},
    };
    kb_status status = KB_OK;
    for (size_t i = 0; !status && i < sizeof tensors / sizeof *tensors && tensors[i].floats; i++)
        status = kb_container_add_floats(w, tensors[i].name, tensors[i].floats,
                                         tensors[i].rows * tensors[i].cols, err);
    return status;
}

/* TAILS (KB_SIGNALS x KB_TAIL) has to last until W is written. Nothing where no tail was kept. */
static kb_status add_tails(kb_container_writer *w, const kb_model *m, float *tails, kb_error *err)
{
    if (!(m->signals[0].top > 0))
        return KB_OK;
    for (size_t i = 0; i < KB_SIGNALS; i++)
        memcpy(tails + i * KB_TAIL, m->signals[i].tail, sizeof m->signals[i].tail);
    return kb_container_add_floats(w, "signals.tails", tails, KB_SIGNALS * KB_TAIL, err);
}

/* P: the floats of a profile. */
static size_t profile_floats(const kb_model *m)
{
    return 2 * kb_features_objects(m->features);
}

static kb_status add_lineage_text(kb_container_writer *w, const kb_lineage *l, kb_error *err)
{
    char *text = NULL;
    size_t length = 0;
    kb_status status = l->name_count ? kb_lineage_write_names(l, &text, &length, err) : KB_OK;
    if (!status && text)
        status = kb_container_add_text(w, "names", text, length, err);
    free(text);
    text = NULL;
    if (!status && l->retired_count)
        status = kb_lineage_write_retired(l, &text, &length, err);
    if (!status && text)
        status = kb_container_add_text(w, "retired", text, length, err);
    free(text);
    return status;
}

/* Sections with nothing in them are left out. */
static kb_status add_lineage(kb_container_writer *w, const kb_model *m, kb_error *err)
{
    const kb_lineage *l = &m->lineage;
    const size_t n = l->retired_count, p = profile_floats(m);
    kb_status status = add_lineage_text(w, l, err);
    if (!status && l->profiles && m->clusters)
        status = kb_container_add_floats(w, "profiles", l->profiles, m->clusters * p, err);
    if (!status && n)
        status = kb_container_add_floats(w, "retired.centroids", l->retired_centroids,
                                         n * m->layout.latent, err);
    if (!status && n)
        status = kb_container_add_floats(w, "retired.profiles", l->retired_profiles, n * p, err);
    return status;
}

kb_status kb_model_save(const kb_model *m, const char *path, kb_error *err)
{
    float tails[KB_SIGNALS * KB_TAIL];
    kb_container_writer *w = kb_container_writer_create(&kind);
    if (!w)
        return kb_fail_memory(err, "a model file");
    kb_status status = add_numbers(w, m, err);
    if (!status)
        status = kb_container_add_text(w, "notes", m->notes, strlen(m->notes), err);
    if (!status)
        status = add_objects(w, m->features, err);
    if (!status)
        status = add_names(w, "seen", m->seen, err);
    if (!status)
        status = add_names(w, "fitted", m->fitted, err);
    if (!status)
        status = add_names(w, "held-out", m->held_out, err);
    if (!status)
        status = add_clusters(w, m, err);
    if (!status && m->clusters)
        status = add_clusters_known(w, m, err);
    if (!status)
        status = add_tensors(w, m, err);
    if (!status && m->known.count)
        status = kb_container_add_floats(w, "known", m->known.novelty, m->known.count, err);
    if (!status)
        status = add_tails(w, m, tails, err);
    if (!status && m->reference.sessions)
        status = add_reference(w, &m->reference, err);
    if (!status)
        status = add_lineage(w, m, err);
    if (!status)
        status = kb_container_write(w, path, true, NULL, err);
    kb_container_writer_free(w);
    return status;
}

/* --- loading ------------------------------------------------------------------------------ */

struct loader {
    const char *path;
    kb_container_reader *reader;
    char *numbers; /* the "model" section */
    kb_model *model;
};

/* The text after "KEY=" up to the end of its line, in VALUE. */
static kb_status get_text(const struct loader *l, const char *key, char *value, size_t size,
                          kb_error *err)
{
    size_t length = strlen(key);
    for (const char *p = l->numbers; *p;) {
        const char *end = strchrnul(p, '\n');
        if (strncmp(p, key, length) == 0 && p[length] == '=' &&
            (size_t)(end - p) - length - 1 < size) {
            memcpy(value, p + length + 1, (size_t)(end - p) - length - 1);
            value[(size_t)(end - p) - length - 1] = '\0';
            return KB_OK;
        }
        p = *end ? end + 1 : end;
    }
    return kb_fail(err, KB_ERR_FORMAT, "%s: section model: %s is missing", l->path, key);
}

static kb_status bad_number(const struct loader *l, const char *key, const char *value,
                            kb_error *err)
{
    return kb_fail(err, KB_ERR_FORMAT, "%s: section model: %s=%s makes no sense", l->path, key,
                   value);
}

/* Digits alone, at most HIGH. */
static bool parse_size(const char *value, size_t high, size_t *out)
{
    char *end;
    errno = 0;
    unsigned long long x = strtoull(value, &end, 10);
    *out = (size_t)x;
    return *value >= '0' && *value <= '9' && !*end && !errno && x <= high;
}

static kb_status get_size(const struct loader *l, const char *key, size_t low, size_t high,
                          size_t *out, kb_error *err)
{
    char value[64];
    size_t x;
    kb_status status = get_text(l, key, value, sizeof value, err);
    if (status)
        return status;
    if (!parse_size(value, high, &x) || x < low)
        return bad_number(l, key, value, err);
    *out = x;
    return KB_OK;
}

static kb_status get_real(const struct loader *l, const char *key, double low, double high,
                          double *out, kb_error *err)
{
    char value[64], *end;
    kb_status status = get_text(l, key, value, sizeof value, err);
    if (status)
        return status;
    double x = strtod(value, &end);
    if (end == value || *end || !(x >= low && x <= high))
        return bad_number(l, key, value, err);
    *out = x;
    return KB_OK;
}

enum { DIMENSION_LIMIT = 1 << 28 };

static kb_status load_choices(struct loader *l, kb_error *err)
{
    kb_model *m = l->model;
    char value[64];
    size_t seed;
    kb_status status = get_text(l, "variant", value, sizeof value, err);
    if (!status && !kb_variant_parse(&m->variant, value))
        status = bad_number(l, "variant", value, err);
    if (!status)
        status = get_text(l, "novelty", value, sizeof value, err);
    if (!status && !kb_novelty_parse(&m->novelty, value))
        status = bad_number(l, "novelty", value, err);
    if (!status)
        status = get_real(l, "false_alarms", 0, 1, &m->false_alarms, err);
    if (!status)
        status = get_size(l, "seed", 0, SIZE_MAX, &seed, err);
    if (!status)
        m->seed = seed;
    return status;
}

static kb_status load_sizes(struct loader *l, kb_error *err)
{
    kb_model *m = l->model;
    size_t inputs = 0, hidden = 0, latent = 0, next = 1;
    kb_status status = get_size(l, "inputs", 1, DIMENSION_LIMIT, &inputs, err);
    if (!status)
        status = get_size(l, "hidden", 1, DIMENSION_LIMIT, &hidden, err);
    if (!status)
        status = get_size(l, "latent", 1, DIMENSION_LIMIT, &latent, err);
    if (!status)
        status = get_size(l, "basis_rank", 0, DIMENSION_LIMIT, &m->basis.rank, err);
    if (!status)
        status = get_real(l, "basis_scale", 1e-300, 1e300, &m->basis.scale, err);
    if (!status)
        status = get_real(l, "basis_energy", 0, 1.000001, &m->basis.energy, err);
    if (!status)
        status = get_size(l, "used_dims", 0, SIZE_MAX, &m->basis.used_dims, err);
    if (!status)
        status = get_size(l, "dec_clusters", 0, DIMENSION_LIMIT, &m->dec_clusters, err);
    if (!status)
        status = get_size(l, "clusters", 0, DIMENSION_LIMIT, &m->clusters, err);
    if (!status)
        status = get_size(l, "next_number", 1, UINT32_MAX / 2, &next, err);
    m->next_number = (uint32_t)next;
    if (!status)
        status =
            kb_layout_make(&m->layout, kb_variant_is_vae(m->variant), inputs, hidden, latent, err);
    return status;
}

/* Models have had that many parts of novelty from the first. */
enum { FIRST_SIGNALS = 3 };

static bool has_key(const struct loader *l, const char *key)
{
    char value[64];
    return get_text(l, key, value, sizeof value, NULL) == KB_OK;
}

static kb_status load_signals(struct loader *l, kb_error *err)
{
    kb_status status = KB_OK;
    for (size_t i = 0; !status && i < KB_SIGNALS; i++) {
        char key[32];
        snprintf(key, sizeof key, "signal%zu_median", i);
        if (i >= FIRST_SIGNALS && !has_key(l, key)) /* from before that part */
            continue;
        status = get_real(l, key, -1e300, 1e300, &l->model->signals[i].median, err);
        snprintf(key, sizeof key, "signal%zu_spread", i);
        if (!status)
            status = get_real(l, key, 0, 1e300, &l->model->signals[i].spread, err);
        snprintf(key, sizeof key, "signal%zu_top", i);
        if (!status && has_key(l, key))
            status = get_real(l, key, 0, 100, &l->model->signals[i].top, err);
    }
    return status;
}

static kb_status load_names(struct loader *l, const char *section, kb_names *names, kb_error *err)
{
    char *text, *p, *name;
    size_t length;
    kb_status status = kb_container_text(l->reader, section, &text, &length, err);
    if (status)
        return status;
    for (p = text; !status && (name = next_name(&p));)
        if (kb_names_add(names, name, strlen(name)) == KB_NAME_NONE)
            status = kb_fail_memory(err, "names");
    free(text);
    return status;
}

/* Models that say nothing of filling are from before there was a choice. */
static kb_status load_recipe(struct loader *l, kb_recipe *recipe, kb_error *err)
{
    char value[64];
    *recipe = (kb_recipe){0};
    kb_status status = get_size(l, "timesteps", 1, 65535, &recipe->timesteps, err);
    if (!status)
        status = get_real(l, "min_presence", 0, 1, &recipe->min_presence, err);
    if (!status)
        status = get_text(l, "scale", value, sizeof value, err);
    if (!status && !kb_scale_parse(&recipe->scale, value))
        status = bad_number(l, "scale", value, err);
    if (!status && kb_scale_has_bins(recipe->scale))
        status = get_size(l, "bins", 1, 65535, &recipe->bins, err);
    if (!status && get_text(l, "fill", value, sizeof value, NULL) == KB_OK &&
        !kb_fill_parse(&recipe->fill, value))
        status = bad_number(l, "fill", value, err);
    return status;
}

static kb_status check_finite(const struct loader *l, const char *section, const float *floats,
                              size_t count, kb_error *err)
{
    for (size_t i = 0; i < count; i++)
        if (!isfinite(floats[i]))
            return kb_fail(err, KB_ERR_FORMAT, "%s: section %s: not finite at %zu", l->path,
                           section, i);
    return KB_OK;
}

/* *OUT: ROWS x COLS floats of a section; nothing is allocated for one of another size, or for none.
 */
static kb_status load_floats(struct loader *l, const char *section, size_t rows, size_t cols,
                             float **out, kb_error *err)
{
    size_t count;
    bool there = false;
    if (!kb_size_mul(rows, cols, &count))
        return kb_fail(err, KB_ERR_FORMAT, "%s: section %s: its shape overflows", l->path, section);
    for (size_t i = 0; i < kb_container_count(l->reader); i++) {
        kb_section s = kb_container_section(l->reader, i);
        if (strcmp(s.name, section) != 0)
            continue;
        there = true;
        if (s.bytes / sizeof(float) != count)
            return kb_fail(err, KB_ERR_FORMAT, "%s: section %s: %llu bytes, expected %zu floats",
                           l->path, section, (unsigned long long)s.bytes, count);
    }
    if (!there)
        return kb_fail(err, KB_ERR_FORMAT, "%s: section %s is missing", l->path, section);
    float *floats = kb_alloc_aligned(count, sizeof *floats);
    if (!floats)
        return kb_fail_memory(err, "a model's numbers");
    *out = floats;
    kb_status status = kb_container_floats(l->reader, section, floats, count, err);
    return status ? status : check_finite(l, section, floats, count, err);
}

static kb_status make_features(struct loader *l, const kb_names *objects, const kb_recipe *recipe,
                               kb_error *err)
{
    size_t count = kb_names_count(objects);
    float *divisors = NULL;
    if (kb_scale_divisor(recipe->scale) != KB_DIVISOR_NONE) {
        kb_status status = load_floats(l, "divisors", 1, count, &divisors, err);
        if (status) {
            free(divisors);
            return status;
        }
    }
    const char **names = kb_calloc(count, sizeof *names);
    if (!names) {
        free(divisors);
        return kb_fail_memory(err, "object names");
    }
    for (size_t j = 0; j < count; j++)
        names[j] = kb_names_get(objects, (uint32_t)j);
    kb_status status = kb_features_create(&l->model->features, names, count, recipe, divisors, err);
    free(names);
    free(divisors);
    return status;
}

static kb_status load_features(struct loader *l, kb_error *err)
{
    kb_recipe recipe;
    kb_status status = load_recipe(l, &recipe, err);
    if (status)
        return status;
    kb_names *objects = kb_names_create();
    status = objects ? load_names(l, "objects", objects, err) : kb_fail_memory(err, "object names");
    if (!status && !kb_names_count(objects))
        status = kb_fail(err, KB_ERR_FORMAT, "%s: section objects is empty", l->path);
    if (!status)
        status = make_features(l, objects, &recipe, err);
    kb_names_free(objects);
    return status;
}

static kb_status load_basis(struct loader *l, kb_error *err)
{
    kb_basis *basis = &l->model->basis;
    basis->dims = kb_features_dims(l->model->features);
    size_t inputs = basis->rank ? basis->rank : basis->dims;
    if (inputs != l->model->layout.inputs)
        return kb_fail(err, KB_ERR_FORMAT, "%s: %zu inputs do not fit %zu objects and rank %zu",
                       l->path, l->model->layout.inputs, kb_features_objects(l->model->features),
                       basis->rank);
    kb_status status = load_floats(l, "mean", 1, basis->dims, &basis->mean, err);
    if (!status && basis->rank)
        status = load_floats(l, "vectors", basis->dims, basis->rank, &basis->vectors, err);
    if (!status && basis->rank)
        status = kb_basis_finish(basis, err);
    return status;
}

/* The file must be able to hold the parameters before they are allocated. */
static kb_status load_weights(struct loader *l, kb_error *err)
{
    kb_model *m = l->model;
    uint64_t stored = 0;
    for (size_t i = 0; i < kb_container_count(l->reader); i++)
        stored += kb_container_section(l->reader, i).bytes;
    if (m->layout.parameters > stored / sizeof(float))
        return kb_fail(err, KB_ERR_FORMAT, "%s: holds less than its %zu parameters", l->path,
                       m->layout.parameters);
    m->weights = kb_alloc_aligned(m->layout.parameters, sizeof *m->weights);
    if (!m->weights)
        return kb_fail_memory(err, "a model's parameters");
    kb_status status = KB_OK;
    for (size_t k = 0; !status && k < KB_TENSORS_MAX; k++) {
        const kb_tensor *tensor = &m->layout.tensors[k];
        size_t count = tensor->rows * tensor->cols;
        float *floats = m->weights + tensor->offset;
        if (tensor->rows)
            status = kb_container_floats(l->reader, tensor->name, floats, count, err);
        if (!status)
            status = check_finite(l, tensor->name, floats, count, err);
    }
    return status;
}

static bool has_section(const struct loader *l, const char *name)
{
    for (size_t i = 0; i < kb_container_count(l->reader); i++)
        if (strcmp(kb_container_section(l->reader, i).name, name) == 0)
            return true;
    return false;
}

/* "NORM CONFIDENCE CATCH-ALL"; what was taken is behind *TEXT. */
static bool take_trait(char **text, kb_centroid_trait *trait)
{
    double values[3];
    for (size_t i = 0; i < 3; i++) {
        char *end;
        values[i] = strtod(*text, &end);
        if (end == *text || !(values[i] >= 0) || !isfinite(values[i]))
            return false;
        *text = end;
    }
    trait->norm = values[0];
    trait->confidence = values[1];
    trait->catch_all = values[2] > 0;
    return values[2] <= 1;
}

/* Models without this section are from before it was kept. */
static kb_status load_traits(struct loader *l, kb_error *err)
{
    kb_model *m = l->model;
    char *text;
    size_t length;
    if (!m->dec_clusters || !has_section(l, "dec.traits"))
        return KB_OK;
    kb_status status = kb_container_text(l->reader, "dec.traits", &text, &length, err);
    if (status)
        return status;
    m->dec_traits = kb_calloc(m->dec_clusters, sizeof *m->dec_traits);
    if (!m->dec_traits)
        status = kb_fail_memory(err, "centroids");
    char *p = text;
    for (size_t j = 0; !status && j < m->dec_clusters; j++) {
        m->dec_traits[j].size = m->dec_weights[j];
        if (!take_trait(&p, &m->dec_traits[j]))
            status = kb_fail(err, KB_ERR_FORMAT, "%s: section dec.traits: line %zu makes no sense",
                             l->path, j + 1);
    }
    free(text);
    return status;
}

static kb_status load_dec(struct loader *l, kb_error *err)
{
    kb_model *m = l->model;
    if (!m->dec_clusters)
        return KB_OK;
    kb_status status =
        load_floats(l, "dec.centroids", m->dec_clusters, m->layout.latent, &m->dec_centroids, err);
    char *text = NULL;
    size_t length;
    if (!status)
        status = kb_container_text(l->reader, "dec", &text, &length, err);
    if (status)
        return status;
    m->dec_weights = kb_calloc(m->dec_clusters, sizeof *m->dec_weights);
    if (!m->dec_weights)
        status = kb_fail_memory(err, "centroids");
    char *p = text;
    for (size_t j = 0; !status && j < m->dec_clusters; j++) {
        char *end;
        m->dec_weights[j] = strtod(p, &end);
        if (end == p || !(m->dec_weights[j] >= 0) || !isfinite(m->dec_weights[j]))
            status = kb_fail(err, KB_ERR_FORMAT, "%s: section dec: line %zu makes no sense",
                             l->path, j + 1);
        p = end;
    }
    free(text);
    return status;
}

/* The digits at *TEXT, behind blanks; *TEXT moves behind them. */
static bool take_whole(const char **text, uint64_t *out)
{
    const char *s = *text + strspn(*text, " \n");
    char *end;
    errno = 0;
    *out = strtoull(s, &end, 10);
    *text = end;
    return *s >= '0' && *s <= '9' && errno == 0;
}

/* No sscanf: it looks for the end of the text each time. */
static bool take_cluster(const char **text, kb_cluster *c)
{
    uint64_t number, size;
    char *end;
    if (!take_whole(text, &number) || number > UINT32_MAX || !take_whole(text, &size))
        return false;
    c->number = (uint32_t)number;
    c->size = (size_t)size;
    c->threshold = strtod(*text, &end);
    bool there = end > *text;
    *text = end;
    return there && !isnan(c->threshold);
}

static kb_status parse_clusters(struct loader *l, const char *text, kb_error *err)
{
    kb_model *m = l->model;
    for (size_t i = 0; i < m->clusters; i++) {
        kb_cluster *c = &m->cluster[i];
        if (!take_cluster(&text, c) || c->number == 0 || c->number >= m->next_number ||
            (i && c->number <= c[-1].number))
            return kb_fail(err, KB_ERR_FORMAT, "%s: section clusters: line %zu makes no sense",
                           l->path, i + 1);
    }
    return KB_OK;
}

static bool take_cluster_known(const char **text, kb_cluster *c)
{
    uint64_t known;
    char *end;
    if (!take_whole(text, &known) || known > c->size)
        return false;
    c->known = (size_t)known;
    c->distance = strtod(*text, &end);
    bool there = end > *text;
    *text = end;
    return there && isfinite(c->distance) && c->distance >= 0;
}

/* Models without this section are from before it was kept. */
static kb_status load_clusters_known(struct loader *l, kb_error *err)
{
    kb_model *m = l->model;
    char *text;
    size_t length;
    for (size_t i = 0; i < m->clusters; i++) {
        m->cluster[i].known = m->cluster[i].size;
        m->cluster[i].distance = (double)NAN;
    }
    if (!m->clusters || !has_section(l, "clusters.known"))
        return KB_OK;
    kb_status status = kb_container_text(l->reader, "clusters.known", &text, &length, err);
    if (status)
        return status;
    const char *p = text;
    for (size_t i = 0; !status && i < m->clusters; i++)
        if (!take_cluster_known(&p, &m->cluster[i]))
            status = kb_fail(err, KB_ERR_FORMAT,
                             "%s: section clusters.known: line %zu makes no sense", l->path, i + 1);
    free(text);
    return status;
}

static kb_status load_clusters(struct loader *l, kb_error *err)
{
    kb_model *m = l->model;
    if (!m->clusters)
        return KB_OK;
    kb_status status =
        load_floats(l, "centroids", m->clusters, m->layout.latent, &m->centroids, err);
    char *text = NULL;
    size_t length;
    if (!status)
        status = kb_container_text(l->reader, "clusters", &text, &length, err);
    if (!status) {
        m->cluster = kb_calloc(m->clusters, sizeof *m->cluster);
        status = m->cluster ? parse_clusters(l, text, err) : kb_fail_memory(err, "clusters");
    }
    free(text);
    return status;
}

/* Novelties of known sessions, which rise. Models without them are from before they were kept. */
static kb_status load_known(struct loader *l, kb_error *err)
{
    kb_known *k = &l->model->known;
    if (!has_key(l, "known_kept"))
        return KB_OK;
    kb_status status = get_size(l, "known", 0, SIZE_MAX, &k->sessions, err);
    if (!status)
        status = get_size(l, "known_flagged", 0, k->sessions, &k->flagged, err);
    k->unseen = (double)NAN;
    if (!status && has_key(l, "known_unseen"))
        status = get_real(l, "known_unseen", 0, 1, &k->unseen, err);
    if (!status)
        status = get_size(l, "known_kept", k->sessions > 0,
                          k->sessions < KB_KNOWN_MAX ? k->sessions : KB_KNOWN_MAX, &k->count, err);
    if (!status && k->count)
        status = load_floats(l, "known", 1, k->count, &k->novelty, err);
    for (size_t i = 1; !status && i < k->count; i++)
        if (k->novelty[i] < k->novelty[i - 1])
            status = kb_fail(err, KB_ERR_FORMAT, "%s: section known: falls at %zu", l->path, i);
    return status;
}

/* The upper halves of the parts that have one. */
static kb_status load_tails(struct loader *l, kb_error *err)
{
    float *tails = NULL;
    kb_standard *signals = l->model->signals;
    if (!(signals[0].top > 0))
        return KB_OK;
    kb_status status = load_floats(l, "signals.tails", KB_SIGNALS, KB_TAIL, &tails, err);
    for (size_t i = 0; !status && i < KB_SIGNALS * KB_TAIL; i++) {
        if (i % KB_TAIL && tails[i] < tails[i - 1])
            status =
                kb_fail(err, KB_ERR_FORMAT, "%s: section signals.tails: falls at %zu", l->path, i);
        signals[i / KB_TAIL].tail[i % KB_TAIL] = tails[i];
    }
    free(tails);
    return status;
}

static kb_status check_courses(const struct loader *l, kb_error *err)
{
    const kb_courses *c = &l->model->reference.courses;
    for (size_t i = 0; i < c->groups * c->objects * c->classes; i++)
        if (!(c->rates[i] > 0 && c->rates[i] <= 1))
            return kb_fail(err, KB_ERR_FORMAT,
                           "%s: section reference.course-rates: no share at %zu", l->path, i);
    return KB_OK;
}

/* Models without any are from before they were kept. */
static kb_status load_courses(struct loader *l, kb_error *err)
{
    const kb_reference *r = &l->model->reference;
    kb_courses *c = &l->model->reference.courses;
    size_t classes = 0;
    if (!has_key(l, "reference_courses"))
        return KB_OK;
    kb_status status = get_size(l, "reference_courses", 0, KB_COURSE_CLASSES, &classes, err);
    if (status || !classes)
        return status;
    *c = (kb_courses){.classes = classes, .groups = r->groups, .objects = r->objects};
    status = load_floats(l, "reference.courses", classes, KB_COURSE_BINS, &c->course, err);
    if (!status)
        status = load_floats(l, "reference.course-rates", r->groups * classes, r->objects,
                             &c->rates, err);
    return status ? status : check_courses(l, err);
}

static kb_status check_reference(const struct loader *l, kb_error *err)
{
    const kb_reference *r = &l->model->reference;
    for (size_t i = 0; i < r->groups * r->objects; i++)
        if (!(r->rates[i] > 0 && r->rates[i] < 1))
            return kb_fail(err, KB_ERR_FORMAT, "%s: section reference.rates: no share at %zu",
                           l->path, i);
    for (size_t i = 0; i < r->objects; i++)
        if (!(r->scale[i] > 0))
            return kb_fail(err, KB_ERR_FORMAT, "%s: section reference.scale: not above 0 at %zu",
                           l->path, i);
    for (size_t i = 0; i < r->objects * KB_CLASSES; i++)
        if (!(r->counts[i] >= 0 && (double)r->counts[i] <= (double)r->sessions))
            return kb_fail(err, KB_ERR_FORMAT, "%s: section reference.counts: no count at %zu",
                           l->path, i);
    return KB_OK;
}

static kb_status load_reference_tensors(struct loader *l, kb_error *err)
{
    kb_reference *r = &l->model->reference;
    const struct {
        const char *name;
        float **floats;
        size_t rows, cols;
    } tensors[] = {
        {"reference.rates", &r->rates, r->groups, r->objects},
        {"reference.scale", &r->scale, r->objects, 1},
        {"reference.levels", &r->levels, r->groups, r->objects},
        {"reference.z", &r->z, r->points, r->latent},
        {"reference.y", &r->y, r->points, r->leading},
        {"reference.spacing", &r->spacing, r->points, 1},
        {"reference.edges", &r->edges, r->objects, KB_LEVELS - 1},
        {"reference.counts", &r->counts, r->objects, KB_CLASSES},
    };
    kb_status status = KB_OK;
    for (size_t i = 0; !status && i < sizeof tensors / sizeof *tensors; i++)
        status = load_floats(l, tensors[i].name, tensors[i].rows, tensors[i].cols,
                             tensors[i].floats, err);
    return status;
}

/* Models without one are from before it was kept: their novelty has fewer parts. */
static kb_status load_reference(struct loader *l, kb_error *err)
{
    kb_model *m = l->model;
    kb_reference *r = &m->reference;
    size_t rank = m->basis.rank;
    if (!has_key(l, "reference_sessions"))
        return KB_OK;
    kb_status status = get_size(l, "reference_sessions", 0, SIZE_MAX, &r->sessions, err);
    if (status || !r->sessions)
        return status;
    r->objects = kb_names_count(m->seen);
    r->latent = m->layout.latent;
    r->leading = !rank ? r->latent : rank < KB_REFERENCE_LEADING ? rank : KB_REFERENCE_LEADING;
    status = get_size(l, "reference_groups", 1, KB_REFERENCE_GROUPS, &r->groups, err);
    if (!status)
        status = get_size(l, "reference_points", 1, KB_REFERENCE_POINTS, &r->points, err);
    if (!status)
        status = load_reference_tensors(l, err);
    if (!status)
        status = check_reference(l, err);
    if (!status)
        status = load_courses(l, err);
    return status ? status : kb_reference_finish(r, err);
}

/* Calibrations are not counted in models from before there was a lineage. */
static kb_status load_calibrations(struct loader *l, kb_error *err)
{
    kb_lineage *lineage = &l->model->lineage;
    char value[64];
    size_t calibrations = 0, whole = 0, atto = 0;
    if (get_text(l, "calibrations", value, sizeof value, NULL))
        return KB_OK;
    kb_status status = get_size(l, "calibrations", 0, UINT32_MAX, &calibrations, err);
    if (!status)
        status = get_text(l, "until", value, sizeof value, err);
    bool negative = !status && value[0] == '-';
    if (!status && !(negative ? parse_size(value + 1, INT64_MAX, &whole)
                              : parse_size(value, INT64_MAX, &whole)))
        status = bad_number(l, "until", value, err);
    if (!status)
        status = get_size(l, "until_atto", 0, (size_t)999999999999999999, &atto, err);
    lineage->calibrations = (uint32_t)calibrations;
    lineage->until = (kb_time){negative ? -(int64_t)whole : (int64_t)whole, atto};
    return status;
}

typedef size_t read_lines(kb_lineage *lineage, const char *text, uint32_t limit);

static kb_status load_lines(struct loader *l, const char *section, read_lines *read, kb_error *err)
{
    char *text;
    size_t length;
    if (!has_section(l, section))
        return KB_OK;
    kb_status status = kb_container_text(l->reader, section, &text, &length, err);
    if (status)
        return status;
    size_t line = read(&l->model->lineage, text, l->model->next_number);
    if (line == SIZE_MAX)
        status = kb_fail_memory(err, "clusters of earlier times");
    else if (line || strlen(text) != length)
        status = kb_fail(err, KB_ERR_FORMAT, "%s: section %s: line %zu makes no sense", l->path,
                         section, line ? line : 1);
    free(text);
    return status;
}

static bool is_current(const kb_model *m, uint32_t number)
{
    for (size_t i = 0; i < m->clusters; i++)
        if (m->cluster[i].number == number)
            return true;
    return false;
}

static kb_status load_retired(struct loader *l, kb_error *err)
{
    kb_model *m = l->model;
    kb_lineage *lineage = &m->lineage;
    kb_status status = load_lines(l, "retired", kb_lineage_read_retired, err);
    for (size_t i = 0; !status && i < lineage->retired_count; i++)
        if (is_current(m, lineage->retired[i].number))
            status = kb_fail(err, KB_ERR_FORMAT, "%s: section retired: cluster %u is not retired",
                             l->path, (unsigned)lineage->retired[i].number);
    if (!status && lineage->retired_count)
        status = load_floats(l, "retired.centroids", lineage->retired_count, m->layout.latent,
                             &lineage->retired_centroids, err);
    if (!status && lineage->retired_count)
        status = load_floats(l, "retired.profiles", lineage->retired_count, profile_floats(m),
                             &lineage->retired_profiles, err);
    return status;
}

static kb_status load_lineage(struct loader *l, kb_error *err)
{
    kb_model *m = l->model;
    kb_status status = load_calibrations(l, err);
    if (!status && m->clusters && has_section(l, "profiles"))
        status =
            load_floats(l, "profiles", m->clusters, profile_floats(m), &m->lineage.profiles, err);
    if (!status)
        status = load_retired(l, err);
    return status ? status : load_lines(l, "names", kb_lineage_read_names, err);
}

static kb_status load_all(struct loader *l, kb_error *err)
{
    size_t length;
    kb_status status = kb_container_open(&l->reader, &kind, l->path, err);
    if (!status)
        status = kb_container_text(l->reader, "model", &l->numbers, &length, err);
    if (!status)
        status = load_choices(l, err);
    if (!status)
        status = load_sizes(l, err);
    if (!status)
        status = load_signals(l, err);
    if (!status)
        status = load_features(l, err);
    if (!status)
        status = load_names(l, "seen", l->model->seen, err);
    if (!status)
        status = load_names(l, "fitted", l->model->fitted, err);
    if (!status)
        status = load_names(l, "held-out", l->model->held_out, err);
    if (!status)
        status = load_basis(l, err);
    if (!status)
        status = load_weights(l, err);
    if (!status)
        status = load_dec(l, err);
    if (!status)
        status = load_traits(l, err);
    if (!status)
        status = load_clusters(l, err);
    if (!status)
        status = load_clusters_known(l, err);
    if (!status)
        status = load_known(l, err);
    if (!status)
        status = load_tails(l, err);
    if (!status)
        status = load_reference(l, err);
    if (!status)
        status = load_lineage(l, err);
    if (status)
        return status;
    free(l->model->notes);
    l->model->notes = NULL;
    return kb_container_text(l->reader, "notes", &l->model->notes, &length, err);
}

kb_status kb_model_load(kb_model **out, const char *path, kb_error *err)
{
    *out = NULL;
    struct loader l = {.path = path, .model = kb_model_create()};
    if (!l.model)
        return kb_fail_memory(err, "a model");
    kb_status status = load_all(&l, err);
    kb_container_close(l.reader);
    free(l.numbers);
    if (status)
        kb_model_free(l.model);
    else
        *out = l.model;
    return status;
}

bool kb_model_looks_like(const char *path)
{
    char magic[8] = {0};
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return false;
    ssize_t n = pread(fd, magic, sizeof magic, 0); /* what a pipe has to say is not taken from it */
    close(fd);
    return n == sizeof magic && memcmp(magic, kind.magic, sizeof magic) == 0;
}

kb_status kb_model_sections(const char *path, kb_section **sections, size_t *count,
                            uint32_t *version, kb_error *err)
{
    kb_container_reader *reader;
    kb_status status = kb_container_open(&reader, &kind, path, err);
    if (status)
        return status;
    *version = kb_container_version(reader);
    *count = kb_container_count(reader);
    *sections = kb_calloc(*count, sizeof **sections);
    if (!*sections)
        status = kb_fail_memory(err, "a table of sections");
    for (size_t i = 0; !status && i < *count; i++)
        (*sections)[i] = kb_container_section(reader, i);
    kb_container_close(reader);
    return status;
}
