#include "option_table.h"

const verb_row cli_verbs[CLI_VERBS] = {
    [CLI_EXPLORE] = {"", "CORPUS", "", "open the explorer on CORPUS"},
    [CLI_TRAIN] = {"train", "CORPUS", " -o MODEL",
                   "train a model, calibrate it and write it to MODEL"},
    [CLI_CALIBRATE] =
        {"calibrate", "CORPUS", " -m MODEL",
         "find clusters and thresholds anew, write them into MODEL, print the elbow table"},
    [CLI_ELBOW] = {"elbow", "CORPUS", " -m MODEL", "print K-means' indices for a range of k"},
    [CLI_ASSIGN] = {"assign", "CORPUS", " -m MODEL", "print each session's cluster and novelty"},
    [CLI_EMBED] = {"embed", "CORPUS", " -m MODEL", "print each session's embedding"},
    [CLI_PROJECT] = {"project", "CORPUS", " -m MODEL", "print a map of the sessions (t-SNE)"},
    [CLI_EXPLAIN] = {"explain", "CORPUS", " -m MODEL",
                     "print the objects that set each cluster, or any sessions, apart"},
    [CLI_NGRAMS] = {"ngrams", "EVENTS", "", "count what users did before the app went away"},
    [CLI_SCORE] = {"score", "CORPUS", " -m MODEL", "compare the clusters with the corpus's labels"},
    [CLI_CHECK] = {"check", "CORPUS", "", "print what a corpus holds and every problem in it"},
    [CLI_GENERATE] = {"generate", "DIR", "", "write a synthetic corpus with planted crash types"},
    [CLI_IMPORT] = {"import", "FORMAT IN OUT", "",
                    "write a corpus OUT from IN, which is jmap, prometheus or jsonl"},
    [CLI_INFO] = {"info", "FILE", "", "print what a model or a corpus holds"},
    [CLI_CLUSTERS] = {"clusters", "CORPUS", " -m MODEL",
                      "count each cluster's sessions, in all or by day or version"},
    [CLI_EMERGING] = {"emerging", "CORPUS", " -m MODEL",
                      "group the sessions that are unlike known ones, and tell what they are"},
    [CLI_COMPARE] = {"compare", "A B", "",
                     "tell what became of the clusters between two models, or two corpora"},
    [CLI_DRIFT] = {"drift", "CORPUS", " -m MODEL",
                   "tell how far sessions have moved from those that MODEL knows"},
    [CLI_NAME] = {"name", "MODEL [NUMBER] [NAME]", "",
                  "give a cluster of MODEL a name, or print all names"},
    [CLI_VARIANTS] = {"compare-variants", "CORPUS", "",
                      "train all four variants and print their elbows side by side"},
    [CLI_WATCH] = {"watch", "DIR", " -m MODEL",
                   "print the cluster and novelty of each session that others write into DIR"},
    [CLI_CACHE] = {"cache", "", "", "print what is kept of earlier readings, or remove it"},
};

/* --- choices: every list of words has the shape "name of the i-th" ----------------------- */
static const char *variant_word(unsigned i)
{
    return kb_variant_name((kb_variant)i);
}

static const char *preset_word(unsigned i)
{
    return kb_preset_name((kb_preset)i);
}

static const char *scale_word(unsigned i)
{
    return kb_scale_name((kb_scale)i);
}

/* Number 0 stands for "not given". */
static const char *fill_word(unsigned i)
{
    return i ? kb_fill_name((kb_fill)(i - 1)) : "auto";
}

static const char *space_word(unsigned i)
{
    return kb_space_name((kb_space)i);
}

static const char *adam_word(unsigned i)
{
    return kb_adam_name((kb_adam)i);
}

static const char *device_word(unsigned i)
{
    return kb_device_choice_name((kb_device_choice)i);
}

static const char *novelty_word(unsigned i)
{
    return kb_novelty_name((kb_novelty)i);
}

static const char *format_word(unsigned i)
{
    return output_format_name((output_format)i);
}

static const char *split_word(unsigned i)
{
    return i == CLI_SPLIT_ALL        ? "all"
           : i == CLI_SPLIT_UNFITTED ? "unfitted"
                                     : kb_split_name((kb_split)i);
}

static const char *measure_word(unsigned i)
{
    return i == CLI_BY_MUTATION ? "mutation" : kb_measure_name((kb_measure)i);
}

static const char *fold_word(unsigned i)
{
    return i == CLI_FOLD_ON ? "on" : "off";
}

static const char *join_word(unsigned i)
{
    return kb_join_name((kb_join)i);
}

static const char *color_word(unsigned i)
{
    return i == KB_COLOR_AUTO ? "auto" : "never";
}

static const char *jmap_value_word(unsigned i)
{
    return kb_jmap_value_name((kb_jmap_value)i);
}

static const char *tally_by_word(unsigned i)
{
    return i == CLI_TALLY_ALL ? "none" : kb_tally_by_name((kb_tally_by)(i - 1));
}

static const char *show_word(unsigned i)
{
    static const char *const names[CLI_SHOWS] = {"objects", "groups", "sessions"};
    return names[i];
}

static const char *trend_word(unsigned i)
{
    return kb_trend_kind_name((kb_trend_kind)i);
}

static const char *unit_word(unsigned i)
{
    return kb_time_unit_name((kb_time_unit)i);
}

/* Choices are read and written as unsigned, which is what the compiler makes of these enums. */
_Static_assert(sizeof(kb_variant) == sizeof(unsigned) && sizeof(kb_preset) == sizeof(unsigned) &&
                   sizeof(kb_scale) == sizeof(unsigned) && sizeof(kb_space) == sizeof(unsigned) &&
                   sizeof(kb_device_choice) == sizeof(unsigned) &&
                   sizeof(kb_novelty) == sizeof(unsigned) &&
                   sizeof(kb_trend_kind) == sizeof(unsigned) &&
                   sizeof(kb_time_unit) == sizeof(unsigned) &&
                   sizeof(kb_jmap_value) == sizeof(unsigned) && sizeof(kb_join) == sizeof(unsigned),
               "an enum is not an unsigned");

/* A span is read and written as an array of two. */
_Static_assert(offsetof(kb_ngram_options, most) ==
                   offsetof(kb_ngram_options, least) + sizeof(size_t),
               "the lengths of n-grams do not lie together");

#define FIELD(member) .field = offsetof(cli_options, member)
#define RANGE(low, high) .min = (low), .max = (high)
#define WORDS(function, n) .word = (function), .count = (n), .metavar = "WORD"

const option_row cli_rows[] = {
    {"model", 'm', KIND_TEXT, ON_MODEL | V(NGRAMS) | V(COMPARE), FIELD(model), .metavar = "MODEL",
     .help = "the model to use"},
    {"output", 'o', KIND_TEXT, V(TRAIN) | V(WATCH), FIELD(output), .metavar = "FILE",
     .help =
         "train: where the model goes, whole or not at all; watch: what labels are appended to"},
    {"state", 0, KIND_TEXT, V(WATCH), FIELD(state), .metavar = "FILE",
     .help = "where watch keeps what it knows; not given: below XDG_STATE_HOME"},
    {"log", 0, KIND_TEXT, V(TRAIN), FIELD(log), .metavar = "LOG.csv",
     .help = "write a row for each epoch to LOG.csv"},

    {"variant", 0, KIND_CHOICE, TRAINING & ~V(VARIANTS), FIELD(training.variant),
     WORDS(variant_word, KB_VARIANTS), .help = "autoencoder, variational or not, clustered or not"},
    {"runs", 0, KIND_SIZE, V(TRAIN) | V(EXPLORE), FIELD(runs), RANGE(1, 100), .zero = "auto",
     .metavar = "R",
     .help = "train with R seeds and keep the model that the others agree with most"},
    {"preset", 0, KIND_CHOICE, TRAINING, FIELD(training.preset), WORDS(preset_word, KB_PRESETS),
     .help = "sizes that train in seconds, or the published ones"},
    {"scale", 0, KIND_CHOICE, TRAINING, FIELD(training.scale), WORDS(scale_word, KB_SCALES + 1),
     .help = "features that are made of each object's readings"},
    {"min-presence", 0, KIND_REAL, TRAINING, FIELD(training.min_presence), RANGE(0, 1),
     .metavar = "SHARE", .help = "leave out objects present in fewer of the fitted sessions"},
    {"space", 0, KIND_CHOICE, TRAINING, FIELD(training.space), WORDS(space_word, KB_SPACES),
     .help = "train on coordinates in the corpus's row space, or on the inputs"},
    {"energy", 0, KIND_REAL, TRAINING, FIELD(training.energy), RANGE(0, 1), .above_min = true,
     .metavar = "SHARE", .help = "share of the variance that the row space keeps"},
    {"epochs", 0, KIND_SIZE, TRAINING, FIELD(training.epochs), RANGE(1, 1e6), .zero = "auto",
     .metavar = "N", .help = "at most N epochs of the autoencoder"},
    {"dec-epochs", 0, KIND_SIZE, TRAINING, FIELD(training.dec_epochs), RANGE(1, 1e6),
     .zero = "auto", .metavar = "N", .help = "epochs of clustering"},
    {"dec-tolerance", 0, KIND_REAL, TRAINING, FIELD(training.dec_tolerance), RANGE(0, 1),
     .metavar = "SHARE", .help = "clustering ends when fewer sessions change their cluster"},
    {"hidden", 0, KIND_SIZE, TRAINING, FIELD(training.hidden), RANGE(1, 1e6), .zero = "auto",
     .metavar = "H", .help = "units of the hidden layer"},
    {"latent", 0, KIND_SIZE, TRAINING, FIELD(training.latent), RANGE(1, 1e6), .zero = "auto",
     .metavar = "Z", .help = "length of the embedding"},
    {"clusters", 0, KIND_SIZE, TRAINING, FIELD(training.clusters), RANGE(2, 1000), .metavar = "K",
     .help = "centroids that clustering starts with"},
    {"batch", 0, KIND_SIZE, TRAINING, FIELD(training.batch), RANGE(1, 1e6), .zero = "auto",
     .metavar = "B", .help = "sessions in a batch"},
    {"learning-rate", 0, KIND_REAL, TRAINING, FIELD(training.learning_rate), RANGE(0, 1),
     .above_min = true, .metavar = "RATE", .help = "Adam's step"},
    {"kl-weight", 0, KIND_REAL, TRAINING, FIELD(training.kl_weight), RANGE(0, 1000),
     .metavar = "BETA", .help = "weight of the divergence from the prior (vae)"},
    {"adam", 0, KIND_CHOICE, TRAINING, FIELD(training.adam), WORDS(adam_word, KB_ADAMS),
     .help = "how far a step moves the first and the last layer"},
    {"weight-decay", 0, KIND_REAL, TRAINING, FIELD(training.weight_decay), RANGE(0, 1000),
     .nan = "auto", .metavar = "W", .help = "a step takes RATE times W of each weight"},
    {"patience", 0, KIND_SIZE, TRAINING, FIELD(training.patience), RANGE(1, 1e6), .zero = "auto",
     .metavar = "N", .help = "stop after N epochs without a better validation loss"},
    {"time-limit", 0, KIND_REAL, TRAINING, FIELD(training.time_limit), RANGE(0, 1e9),
     .zero = "none", .metavar = "SECONDS", .help = "training stops after so long, with the best"},
    {"checkpoint", 0, KIND_TEXT, V(TRAIN), FIELD(training.checkpoint), .metavar = "FILE",
     .help = "write FILE as training goes, and go on from it when it is there"},
    {"checkpoint-every", 0, KIND_REAL, V(TRAIN), FIELD(training.checkpoint_every), RANGE(0, 1e6),
     .metavar = "SECONDS", .help = "how often FILE is written"},
    {"device", 0, KIND_CHOICE, TRAINING, FIELD(training.device),
     WORDS(device_word, KB_DEVICE_CHOICES), .help = "what computes"},

    {"k", 'k', KIND_SIZE, CALIBRATION | V(VARIANTS), FIELD(calibration.k), RANGE(2, 1000),
     .zero = "auto", .metavar = "K", .help = "number of clusters; auto: by the elbow"},
    {"kmin", 0, KIND_SIZE, CALIBRATION | V(ELBOW) | V(VARIANTS), FIELD(calibration.kmin),
     RANGE(2, 1000), .metavar = "K", .help = "first k of the elbow"},
    {"kmax", 0, KIND_SIZE, CALIBRATION | V(ELBOW) | V(VARIANTS), FIELD(calibration.kmax),
     RANGE(2, 1000), .metavar = "K", .help = "last k of the elbow"},
    {"bootstraps", 0, KIND_SIZE, V(CALIBRATE) | V(ELBOW), FIELD(calibration.bootstraps),
     RANGE(0, 1000), .metavar = "N", .help = "rounds of bootstrap stability for each k; 0: none"},
    {"false-alarms", 0, KIND_REAL, CALIBRATION, FIELD(calibration.false_alarms), RANGE(0, 1),
     .metavar = "SHARE", .help = "share of known sessions that may be called emerging"},
    {"novelty", 0, KIND_CHOICE, CALIBRATION, FIELD(calibration.novelty),
     WORDS(novelty_word, KB_NOVELTIES), .help = "how novelty is measured"},

    {"perplexity", 0, KIND_REAL, V(PROJECT) | V(EXPLORE), FIELD(map.perplexity), RANGE(1, 1e5),
     .zero = "auto", .metavar = "P", .help = "neighbours that a session of the map attends to"},
    {"iterations", 0, KIND_SIZE, V(PROJECT) | V(EXPLORE), FIELD(map_iterations), RANGE(1, 1e6),
     .zero = "auto", .metavar = "N", .help = "steps of the map's layout"},
    {"into", 0, KIND_TEXT, V(PROJECT), FIELD(into), .metavar = "MAP.csv",
     .help = "place the sessions into this map, which stays as it is"},
    {"map-corpus", 0, KIND_TEXT, V(PROJECT), FIELD(map_corpus), .metavar = "CORPUS",
     .help = "where that map's sessions are; otherwise they are looked for in CORPUS"},

    {"by", 0, KIND_CHOICE, V(EXPLAIN), FIELD(by), WORDS(measure_word, CLI_MEASURES),
     .help = "what objects are ranked by"},
    {"by", 0, KIND_CHOICE, V(CLUSTERS), FIELD(tally_by), WORDS(tally_by_word, KB_TALLY_BYS + 1),
     .help = "a row for each day, or version, of each cluster"},
    {"trend", 0, KIND_CHOICE, V(CLUSTERS), FIELD(tally.trend), WORDS(trend_word, KB_TREND_KINDS),
     .help = "test whether a share rises or falls, or whether it differs at all"},
    {"time-unit", 0, KIND_CHOICE, V(CLUSTERS), FIELD(tally.unit), WORDS(unit_word, KB_TIME_UNITS),
     .help = "what one is in the corpus's times; auto: by how large they are"},
    {"corpus", 0, KIND_TEXT, V(COMPARE) | V(NAME), FIELD(corpus), .metavar = "CORPUS",
     .help = "sessions that both models assign, to tell whose members are whose"},
    {"corpus-b", 0, KIND_TEXT, V(COMPARE), FIELD(corpus_b), .metavar = "CORPUS",
     .help = "more of them; shares of B are of these, those of A of --corpus"},
    {"from", 0, KIND_TEXT, V(NAME), FIELD(from), .metavar = "OLD",
     .help = "take the names of the clusters of the model OLD that match"},
    {"overlap", 0, KIND_REAL, V(COMPARE) | V(NAME), FIELD(comparison.overlap), RANGE(0, 1),
     .above_min = true, .metavar = "SHARE",
     .help = "clusters match that share so much of the smaller one"},
    {"part", 0, KIND_REAL, V(COMPARE), FIELD(comparison.part), RANGE(0, 1), .metavar = "SHARE",
     .help = "a part of a split or merged cluster is at least so much of the whole"},
    {"similarity", 0, KIND_REAL, V(COMPARE) | V(NAME), FIELD(comparison.similarity), RANGE(-1, 1),
     .metavar = "S", .help = "without --corpus, clusters match whose profiles are so alike"},
    {"ratio", 0, KIND_REAL, V(COMPARE), FIELD(comparison.ratio), RANGE(1, 1e6), .metavar = "R",
     .help = "a cluster has grown, or shrunk, whose share changes by this factor"},
    {"rest", 0, KIND_REAL, V(COMPARE), FIELD(comparison.rest), RANGE(0, 1), .metavar = "SHARE",
     .help = "it is gone where its share is less than this share of what it was"},
    {"alpha", 0, KIND_REAL, V(COMPARE), FIELD(comparison.alpha), RANGE(0, 1), .metavar = "Q",
     .help = "changes with a larger q are not believed"},
    {"alpha", 0, KIND_REAL, V(DRIFT), FIELD(drift.alpha), RANGE(0, 1), .metavar = "Q",
     .help = "changes with a larger q are not believed"},
    {"objects", 0, KIND_REAL, V(DRIFT), FIELD(drift.objects), RANGE(0, 1), .metavar = "SHARE",
     .help = "share of objects that may have moved before a new model is wanted"},
    {"exit-status", 0, KIND_FLAG, V(DRIFT), FIELD(exit_status),
     .help = "exit with 3 where it is to be calibrated anew, 4 where trained anew"},
    {"cluster", 0, KIND_SIZE, V(EXPLAIN) | V(NGRAMS), FIELD(cluster), RANGE(1, 4294967295.0),
     .zero = "all", .metavar = "N", .with_model = V(NGRAMS), .help = "this cluster only"},
    {"where", 0, KIND_TEXTS, V(DRIFT), FIELD(where), .metavar = "KEY=VALUE",
     .help = "only sessions of which this holds; again: all of it"},
    {"sessions", 0, KIND_TEXT, V(DRIFT), FIELD(sessions), .metavar = "FILE",
     .help = "only the sessions that FILE names"},
    {"where", 0, KIND_TEXTS, V(EXPLAIN) | V(NGRAMS), FIELD(where), .metavar = "KEY=VALUE",
     .help = "sessions of which this holds, instead of clusters; again: all of it"},
    {"sessions", 0, KIND_TEXT, V(EXPLAIN) | V(NGRAMS), FIELD(sessions), .metavar = "FILE",
     .help = "the sessions that FILE names, instead of clusters"},
    {"show", 0, KIND_CHOICE, V(EMERGING), FIELD(show), WORDS(show_word, CLI_SHOWS),
     .help = "a row for each object of each group, for each group, or for each session"},
    {"where", 0, KIND_TEXTS, V(EMERGING), FIELD(where), .metavar = "KEY=VALUE",
     .help = "only emerging sessions of which this holds; again: all of it"},
    {"sessions", 0, KIND_TEXT, V(EMERGING), FIELD(sessions), .metavar = "FILE",
     .help = "only emerging sessions that FILE names"},
    {"given", 0, KIND_TEXT, V(EXPLAIN), FIELD(given), .metavar = "OBJECT",
     .help = "what remains between sessions in which OBJECT did the same"},
    {"fold", 0, KIND_CHOICE, V(EXPLAIN), FIELD(fold), WORDS(fold_word, CLI_FOLDS),
     .help = "tell objects that do the same as one"},
    {"representatives", 0, KIND_SIZE, V(EXPLAIN), FIELD(representatives), RANGE(1, 1e9),
     .zero = "none", .metavar = "N",
     .help = "print the medoid and the N most typical and most extreme sessions"},
    {"baselines", 0, KIND_FLAG, V(SCORE), FIELD(baselines),
     .help = "K-means on presence and on principal components too"},
    {"n", 'n', KIND_SPAN, V(NGRAMS), FIELD(lifts.ngrams.least), RANGE(2, KB_NGRAM_MAX),
     .metavar = "N[..M]",
     .help = "length of an n-gram, the start that follows it included; or from N to M"},
    {"fold", 0, KIND_REAL, V(NGRAMS), FIELD(lifts.ngrams.fold), RANGE(0, 1), .zero = "none",
     .metavar = "SHARE",
     .help = "leave out a shorter row when a longer one has that share of its count"},
    {"start", 0, KIND_TEXT, V(NGRAMS), FIELD(starts.start), .metavar = "EVENT",
     .help = "event at which the app starts"},
    {"end", 0, KIND_TEXT, V(NGRAMS), FIELD(starts.end), .metavar = "EVENT",
     .help = "event at which it ends in good order"},
    {"exclude-first-launch", 0, KIND_FLAG, V(NGRAMS), FIELD(starts.no_first),
     .help = "leave out the first start of each user"},
    {"exclude-after", 0, KIND_TEXT, V(NGRAMS), FIELD(starts.after), .metavar = "EVENT,...",
     .help = "leave out a start right after one of these events"},
    {"exclude-before", 0, KIND_TEXT, V(NGRAMS), FIELD(starts.before), .metavar = "EVENT,...",
     .help = "leave out a start right before one of these events"},
    {"exclude-known", 0, KIND_FLAG, V(NGRAMS), FIELD(starts.no_explained),
     .help = "both, for common names of updates, reboots and kills"},
    {"join", 0, KIND_CHOICE, V(NGRAMS), FIELD(joining.how), WORDS(join_word, KB_JOINS),
     .with_model = V(NGRAMS), .help = "how a sequence finds its session"},
    {"clock-skew", 0, KIND_REAL, V(NGRAMS), FIELD(joining.tolerance), RANGE(0, 1e18),
     .metavar = "SECONDS", .with_model = V(NGRAMS),
     .help = "by time: how far from a sequence its session may end"},
    {"support", 0, KIND_SIZE, V(NGRAMS), FIELD(lifts.support), RANGE(1, 1e15), .metavar = "USERS",
     .with_model = V(NGRAMS), .help = "leave out n-grams of fewer users"},
    {"top", 0, KIND_SIZE, V(EXPLAIN) | V(NGRAMS) | V(EMERGING), FIELD(top), RANGE(1, 1e15),
     .zero = "all", .metavar = "N", .help = "the first N rows (of each cluster or group)"},
    {"top", 0, KIND_SIZE, V(DRIFT), FIELD(top), RANGE(1, 1e15), .zero = "all", .metavar = "N",
     .help = "the N objects that have moved most"},
    {"split", 0, KIND_CHOICE, V(DRIFT), FIELD(split), WORDS(split_word, CLI_SPLITS),
     .help = "only sessions of one split; unfitted: those that the model was not fitted on"},
    {"split", 0, KIND_CHOICE,
     (ON_SESSIONS & ~V(DRIFT)) | V(CALIBRATE) | V(ELBOW) | V(NGRAMS) | V(COMPARE) | V(NAME),
     FIELD(split), WORDS(split_word, KB_SPLITS + 1), .with_model = V(NGRAMS),
     .help = "only sessions of one split"},

    {"sessions", 0, KIND_SIZE, V(GENERATE), FIELD(generation.sessions), RANGE(20, 1e7),
     .metavar = "N", .help = "sessions in all"},
    {"objects", 0, KIND_SIZE, V(GENERATE), FIELD(generation.objects), RANGE(40, 1e6),
     .metavar = "M", .help = "objects in all"},
    {"types", 0, KIND_SIZE, V(GENERATE), FIELD(generation.types), RANGE(1, 64), .metavar = "K",
     .help = "planted crash types"},
    {"shards", 0, KIND_SIZE, V(GENERATE), FIELD(generation.shards), RANGE(1, 256), .metavar = "N",
     .help = "files of readings"},
    {"timesteps", 0, KIND_SIZE, ON_CORPUS | V(GENERATE) | V(NGRAMS), FIELD(timesteps),
     RANGE(1, 65535), .zero = "auto", .metavar = "T", .with_model = V(NGRAMS),
     .help = "steps of a session's window; auto: the model's, otherwise 100"},
    {"fill", 0, KIND_CHOICE, ON_CORPUS | V(NGRAMS), FIELD(fill), WORDS(fill_word, KB_FILLS + 1),
     .with_model = V(NGRAMS),
     .help = "a missing sample is 0, or as the last one; auto: the model's, otherwise zero"},
    {"columns", 0, KIND_TEXT, ON_CORPUS | V(NGRAMS) | V(WATCH), FIELD(reading.columns),
     .metavar = "KEY=NAME,...", .help = "what the files call the columns, as in time=ts"},
    {"no-cache", 0, KIND_FLAG, ON_CORPUS | V(NGRAMS), FIELD(no_cache), .with_model = V(NGRAMS),
     .help = "neither believe nor write what was kept of an earlier reading"},
    {"cache-limit", 0, KIND_SIZE, ON_CORPUS | V(NGRAMS), FIELD(cache_limit), RANGE(1, 1e9),
     .metavar = "MIB", .with_model = V(NGRAMS),
     .help = "what is kept may take that much room in all"},
    {"list", 0, KIND_FLAG, V(CACHE), FIELD(list), .help = "print what is kept (the default)"},
    {"clear", 0, KIND_FLAG, V(CACHE), FIELD(clear), .help = "remove it"},
    {"strict", 0, KIND_FLAG, ON_CORPUS | V(NGRAMS) | V(IMPORT), FIELD(reading.strict),
     .help = "stop at the first bad row"},

    {"memory", 0, KIND_SIZE, V(ASSIGN), FIELD(memory), RANGE(1, 1e9), .metavar = "MIB",
     .zero = "auto", .help = "a corpus that may take more is read session by session"},
    {"grouped", 0, KIND_FLAG, V(ASSIGN), FIELD(filtering.grouped),
     .help = "-: a session is complete where another one begins"},
    {"open", 0, KIND_SIZE, V(ASSIGN) | V(WATCH), FIELD(open), RANGE(1, 1e8), .metavar = "N",
     .help = "N sessions may be open; one more completes the one that has been quiet longest"},
    {"settle", 0, KIND_REAL, V(ASSIGN) | V(WATCH), FIELD(settle), RANGE(.01, 1e6), .zero = "never",
     .metavar = "SECONDS", .help = "a session that is quiet for so long is complete"},
    {"summary", 0, KIND_REAL, V(WATCH), FIELD(watching.every), RANGE(.1, 1e6), .metavar = "SECONDS",
     .help = "how often a line is told, and rates are judged"},
    {"alarm", 0, KIND_REAL, V(WATCH), FIELD(watching.alarm), RANGE(0, 1), .metavar = "LEVEL",
     .zero = "never", .help = "a rate whose p-value is below LEVEL is told"},

    {"value", 0, KIND_CHOICE, V(IMPORT), FIELD(importing.value),
     WORDS(jmap_value_word, KB_JMAP_VALUES), .help = "jmap: the column that is the reading"},
    {"session-label", 0, KIND_TEXT, V(IMPORT), FIELD(importing.session_label), .metavar = "LABEL",
     .help = "prometheus: the label that names the session"},
    {"drop-labels", 0, KIND_TEXT, V(IMPORT), FIELD(importing.drop_labels), .metavar = "LIST",
     .help = "prometheus: labels that are no part of an object's name; or none"},
    {"fields", 0, KIND_TEXT, V(IMPORT), FIELD(importing.fields), .metavar = "MAP",
     .help = "jsonl: KEY=PATH,... says where the fields are"},

    {"color", 0, KIND_CHOICE, V(EXPLORE), FIELD(color), WORDS(color_word, 2),
     .help = "auto follows NO_COLOR and the terminal"},
    {"ascii", 0, KIND_FLAG, V(EXPLORE), FIELD(ascii), .help = "draw with ASCII characters only"},
    {"no-mouse", 0, KIND_FLAG, V(EXPLORE), FIELD(no_mouse), .help = "leave the mouse alone"},

    {"seed", 0, KIND_SEED, ALL, FIELD(seed), .metavar = "N", .help = "where random numbers start"},
    {"threads", 0, KIND_SIZE, ALL, FIELD(threads), RANGE(1, 1024), .metavar = "N",
     .help = "threads that work"},
    {"format", 0, KIND_CHOICE, ALL & ~V(EXPLORE), FIELD(format), WORDS(format_word, OUTPUT_FORMATS),
     .help = "auto: a table on a terminal, otherwise csv"},
    {"quiet", 'q', KIND_FLAG, ALL, FIELD(quiet), .help = "no progress and no remarks"},
    {"verbose", 'v', KIND_FLAG, ALL, FIELD(verbose), .help = "tell more of what is done"},
    {"help", 'h', KIND_HELP, ALL, .help = "print this help and exit"},
    {"version", 'V', KIND_VERSION, ALL, .help = "print the version and exit"},
};

_Static_assert(sizeof cli_rows / sizeof *cli_rows <= CLI_ROWS_MAX, "CLI_ROWS_MAX is too small");

const size_t cli_row_count = sizeof cli_rows / sizeof *cli_rows;
