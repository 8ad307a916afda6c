/* train: from a corpus to a trained (not yet calibrated) model.
 *
 * The recipe: homogenise, centre, scale by the root of the total variance, move into the row space
 * of the corpus (basis.h) or stay in the input space, train the autoencoder with Adam, warm-up and
 * cosine decay and early stop on validation, then DEC. */
#ifndef KB_TRAIN_H
#define KB_TRAIN_H

#include "model.h"

typedef enum kb_preset {
    KB_PRESET_FAST,    /* the recipe's sizes: seconds */
    KB_PRESET_DOCUMENT /* the documents' sizes: H = D/8, Z = 256 (VAE) or D/64 (AE), up to 1,000
                          epochs */
} kb_preset;

enum { KB_PRESETS = 2 };

const char *kb_preset_name(kb_preset preset); /* "fast", "document" */
bool kb_preset_parse(kb_preset *out, const char *text);

typedef enum kb_space {
    KB_SPACE_ROW,  /* coordinates in the row space of the training matrix (N x r) */
    KB_SPACE_INPUT /* the D inputs themselves */
} kb_space;

enum { KB_SPACES = 2 };

const char *kb_space_name(kb_space space); /* "row", "input" */
bool kb_space_parse(kb_space *out, const char *text);

/* How far a step of Adam moves the first and the last layer. */
typedef enum kb_adam {
    KB_ADAM_AUTO,  /* dense for a VAE with the document preset, else plain */
    KB_ADAM_PLAIN, /* each weight by the learning rate, as all others */
    KB_ADAM_DENSE  /* about as far in all as in a network of D undivided inputs;
                     the decoder begins smaller */
} kb_adam;

enum { KB_ADAMS = 3 };

const char *kb_adam_name(kb_adam adam); /* "auto", "plain", "dense" */

typedef enum kb_device_choice { KB_DEVICE_AUTO, KB_DEVICE_CPU, KB_DEVICE_CUDA } kb_device_choice;

enum { KB_DEVICE_CHOICES = 3 };

const char *kb_device_choice_name(kb_device_choice choice); /* "auto", "cpu", "cuda" */
bool kb_device_choice_parse(kb_device_choice *out, const char *text);

typedef struct kb_train_options {
    kb_variant variant; /* default ae+dec */
    kb_preset preset;
    kb_scale scale;      /* default KB_SCALE_AUTO: chosen by view_choice.h; minmax with the document
                            preset */
    double min_presence; /* 0..1, default .01 */
    kb_space space;      /* default row */
    double energy;       /* share of the variance that the basis keeps, (0, 1]; default .99 */
    size_t epochs;       /* cap for the autoencoder's phase; 0: by the preset */
    size_t dec_epochs;   /* 0: by the recipe */
    double dec_tolerance; /* DEC stops when a smaller share of sessions changes cluster; default
                             .001, 0: never */
    size_t hidden;        /* H; 0: by the preset */
    size_t latent;        /* Z; 0: by the preset */
    size_t clusters;      /* DEC's k, default 20; cut to N/10 on small corpora */
    size_t batch;         /* at most; 0: 128, with the document preset 320 or more */
    double learning_rate; /* default 1e-3 */
    double kl_weight;     /* beta, default 3e-3 */
    kb_adam adam;         /* of the autoencoder's phase; default auto */
    double weight_decay;  /* of that phase, see network.h; NAN: 4 where auto is dense, else 0 */
    size_t patience; /* epochs without a better validation loss before stopping; 0: by the recipe */
    kb_device_choice device;
    uint64_t seed;           /* default 1 */
    double time_limit;       /* seconds that training may take, a fifth of them DEC's; 0: no limit.
                                An epoch that has begun is cut short, but not before a step */
    const char *checkpoint;  /* file to go on from, if it exists, and to write; NULL: none. It stays
                                when training has ended: the model is not saved yet */
    double checkpoint_every; /* seconds; default 300 */
} kb_train_options;

kb_train_options kb_train_defaults(void);
kb_status kb_train_check(const kb_train_options *options, kb_error *err);

/* One line of the training log. Fields that a phase does not have are NAN. */
typedef struct kb_train_row {
    const char *phase; /* "autoencoder" or "dec" (static) */
    size_t epoch;      /* from 1, in its phase */
    size_t epochs;     /* cap of its phase */
    double loss, reconstruction, kl, clustering, validation;
    double seconds; /* since training began */
} kb_train_row;

typedef struct kb_train_observer {
    void (*row)(void *ctx, const kb_train_row *row); /* on the training thread; may be NULL */
    /* A decision or a weakness that the user should know of ("--device auto: no usable GPU,
     * training on the CPU"). May be NULL. */
    void (*note)(void *ctx, const char *text);
    /* Rows of trainings of which it is not known yet whether they are kept (runs.h). May be NULL.
     */
    void (*live)(void *ctx, const kb_train_row *row);
    void *ctx;
} kb_train_observer;

/* Reports phases "factorising", "training", "clustering". The corpus must have been loaded with the
 * wanted timesteps. */
kb_status kb_train(kb_model **out, const kb_corpus *corpus, const kb_train_options *options,
                   const kb_train_observer *observer, kb_pool *pool, const kb_progress *progress,
                   kb_error *err);

#endif
