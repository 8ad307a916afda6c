/* The names of choices, and the checks of training options. */
#include <math.h>
#include <string.h>

#include "train.h"

static const char *const variants[KB_VARIANTS] = {"ae", "vae", "ae+dec", "vae+dec"};
static const char *const novelties[KB_NOVELTIES] = {"combined", "distance"};
static const char *const presets[KB_PRESETS] = {"fast", "document"};
static const char *const spaces[KB_SPACES] = {"row", "input"};
static const char *const adams[KB_ADAMS] = {"auto", "plain", "dense"};
static const char *const devices[KB_DEVICE_CHOICES] = {"auto", "cpu", "cuda"};

/* The index of TEXT among COUNT names, or COUNT. */
static size_t find_name(const char *const *names, size_t count, const char *text)
{
    size_t i = 0;
    while (i < count && strcmp(names[i], text) != 0)
        i++;
    return i;
}

const char *kb_variant_name(kb_variant variant)
{
    return variants[variant];
}

bool kb_variant_parse(kb_variant *out, const char *text)
{
    size_t i = find_name(variants, KB_VARIANTS, text);
    if (i < KB_VARIANTS)
        *out = (kb_variant)i;
    return i < KB_VARIANTS;
}

bool kb_variant_is_vae(kb_variant variant)
{
    return variant == KB_VARIANT_VAE || variant == KB_VARIANT_VAE_DEC;
}

bool kb_variant_has_dec(kb_variant variant)
{
    return variant == KB_VARIANT_AE_DEC || variant == KB_VARIANT_VAE_DEC;
}

const char *kb_novelty_name(kb_novelty novelty)
{
    return novelties[novelty];
}

bool kb_novelty_parse(kb_novelty *out, const char *text)
{
    size_t i = find_name(novelties, KB_NOVELTIES, text);
    if (i < KB_NOVELTIES)
        *out = (kb_novelty)i;
    return i < KB_NOVELTIES;
}

const char *kb_preset_name(kb_preset preset)
{
    return presets[preset];
}

bool kb_preset_parse(kb_preset *out, const char *text)
{
    size_t i = find_name(presets, KB_PRESETS, text);
    if (i < KB_PRESETS)
        *out = (kb_preset)i;
    return i < KB_PRESETS;
}

const char *kb_space_name(kb_space space)
{
    return spaces[space];
}

bool kb_space_parse(kb_space *out, const char *text)
{
    size_t i = find_name(spaces, KB_SPACES, text);
    if (i < KB_SPACES)
        *out = (kb_space)i;
    return i < KB_SPACES;
}

const char *kb_adam_name(kb_adam adam)
{
    return adams[adam];
}

const char *kb_device_choice_name(kb_device_choice choice)
{
    return devices[choice];
}

bool kb_device_choice_parse(kb_device_choice *out, const char *text)
{
    size_t i = find_name(devices, KB_DEVICE_CHOICES, text);
    if (i < KB_DEVICE_CHOICES)
        *out = (kb_device_choice)i;
    return i < KB_DEVICE_CHOICES;
}

kb_train_options kb_train_defaults(void)
{
    return (kb_train_options){.variant = KB_VARIANT_AE_DEC,
                              .preset = KB_PRESET_FAST,
                              .scale = (kb_scale)KB_SCALE_AUTO,
                              .min_presence = .01,
                              .space = KB_SPACE_ROW,
                              .energy = .99,
                              .dec_tolerance = 1e-3,
                              .clusters = 20,
                              .learning_rate = 1e-3,
                              .kl_weight = 3e-3,
                              .adam = KB_ADAM_AUTO,
                              .weight_decay = NAN,
                              .device = KB_DEVICE_AUTO,
                              .seed = 1,
                              .checkpoint_every = 300};
}

enum { SIZE_LIMIT = 1 << 20 };
static const double WEIGHT_DECAY_LIMIT = 1000;

static kb_status check_size(const char *option, size_t value, kb_error *err)
{
    if (value > SIZE_LIMIT)
        return kb_fail(err, KB_ERR_USAGE, "--%s: %zu is more than %d", option, value,
                       (int)SIZE_LIMIT);
    return KB_OK;
}

static kb_status check_reals(const kb_train_options *o, kb_error *err)
{
    if (!(o->min_presence >= 0 && o->min_presence <= 1))
        return kb_fail(err, KB_ERR_USAGE, "--min-presence: %g is not in 0..1", o->min_presence);
    if (!(o->energy > 0 && o->energy <= 1))
        return kb_fail(err, KB_ERR_USAGE, "--energy: %g is not above 0 and up to 1", o->energy);
    if (!(o->dec_tolerance >= 0 && o->dec_tolerance <= 1))
        return kb_fail(err, KB_ERR_USAGE, "--dec-tolerance: %g is not in 0..1", o->dec_tolerance);
    if (!(o->learning_rate > 0 && o->learning_rate <= 1))
        return kb_fail(err, KB_ERR_USAGE, "--learning-rate: %g is not above 0 and up to 1",
                       o->learning_rate);
    if (!(o->time_limit >= 0))
        return kb_fail(err, KB_ERR_USAGE, "--time-limit: %g is less than 0", o->time_limit);
    if (!(o->checkpoint_every >= 0))
        return kb_fail(err, KB_ERR_USAGE, "--checkpoint-every: %g is less than 0",
                       o->checkpoint_every);
    if (!(o->kl_weight >= 0 && o->kl_weight <= 1000))
        return kb_fail(err, KB_ERR_USAGE, "--kl-weight: %g is not in 0..1000", o->kl_weight);
    if (o->weight_decay < 0 || o->weight_decay > WEIGHT_DECAY_LIMIT)
        return kb_fail(err, KB_ERR_USAGE, "--weight-decay: %g is not in 0..%g", o->weight_decay,
                       WEIGHT_DECAY_LIMIT);
    if (o->weight_decay * o->learning_rate > 1)
        return kb_fail(err, KB_ERR_USAGE,
                       "--weight-decay: %g times the learning rate %g is more than 1",
                       o->weight_decay, o->learning_rate);
    return KB_OK;
}

kb_status kb_train_check(const kb_train_options *o, kb_error *err)
{
    const struct {
        const char *option;
        size_t value;
    } sizes[] = {{"epochs", o->epochs},    {"dec-epochs", o->dec_epochs}, {"hidden", o->hidden},
                 {"latent", o->latent},    {"clusters", o->clusters},     {"batch", o->batch},
                 {"patience", o->patience}};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        kb_status status = check_size(sizes[i].option, sizes[i].value, err);
        if (status)
            return status;
    }
    if (o->clusters < 2)
        return kb_fail(err, KB_ERR_USAGE, "--clusters: %zu is less than 2", o->clusters);
    return check_reals(o, err);
}
