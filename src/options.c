#include "options.h"

#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "option_table.h"

const char *cli_verb_name(cli_verb verb)
{
    return cli_verbs[verb].name;
}

enum { FIRST_VALUE = 1000 }; /* getopt's code of the table's first row */

static void *field_of(cli_options *options, const option_row *row)
{
    return (char *)options + row->field;
}

static bool takes_argument(const option_row *row)
{
    return row->kind != KIND_FLAG && row->kind != KIND_HELP && row->kind != KIND_VERSION;
}

/* --- defaults ---------------------------------------------------------------------------- */
static size_t online_cores(void)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    return cores > 0 ? (size_t)cores : 1;
}

static cli_options defaults_of(cli_verb verb)
{
    static const size_t tops[CLI_VERBS] = {
        [CLI_EXPLAIN] = 10, [CLI_DRIFT] = 20, [CLI_EMERGING] = 5};
    cli_options options = {
        .verb = verb,
        .seed = 1,
        .threads = online_cores(),
        .format = OUTPUT_AUTO,
        .split = verb == CLI_DRIFT ? CLI_SPLIT_UNFITTED : CLI_SPLIT_ALL,
        .top = tops[verb],
        .reading = kb_corpus_defaults(),
        .cache_limit = kb_cache_defaults(NULL).limit >> 20,
        .training = kb_train_defaults(),
        .calibration = kb_calibrate_defaults(),
        .open = kb_filter_defaults().open,
        .settle = verb == CLI_WATCH ? kb_watch_defaults().settle : kb_filter_defaults().settle,
        .filtering = kb_filter_defaults(),
        .watching = kb_watch_defaults(),
        .map = kb_tsne_defaults(),
        .placing = kb_place_defaults(),
        .starts = kb_truncation_defaults(),
        .lifts = kb_lift_defaults(),
        .joining = kb_join_defaults(),
        .comparison = kb_comparison_defaults(),
        .drift = kb_drift_defaults(),
        .generation = kb_generate_defaults(),
        .importing = kb_import_defaults(),
    };
    return options;
}

/* --- help -------------------------------------------------------------------------------- */
/* What is there when the option is not given, as " [value]"; nothing for texts and switches. */
static void describe_default(const option_row *row, cli_options *defaults, char *text, size_t size)
{
    const void *field = field_of(defaults, row);
    double real = row->kind == KIND_REAL ? *(const double *)field : 0;
    bool whole = row->kind == KIND_SIZE || row->kind == KIND_SPAN;
    size_t number = whole ? *(const size_t *)field : 0;
    *text = '\0';
    if (row->nan && isnan(real))
        snprintf(text, size, " [%s]", row->nan);
    else if (row->zero && number == 0 && real == 0)
        snprintf(text, size, " [%s]", row->zero);
    else if (row->kind == KIND_REAL)
        snprintf(text, size, " [%g]", real);
    else if (whole)
        snprintf(text, size, " [%zu]", number);
    else if (row->kind == KIND_SEED)
        snprintf(text, size, " [%llu]", (unsigned long long)*(const uint64_t *)field);
    else if (row->kind == KIND_CHOICE)
        snprintf(text, size, " [%s]", row->word(*(const unsigned *)field));
    else if (row->kind == KIND_TEXT && *(const char *const *)field)
        snprintf(text, size, " [%s]", *(const char *const *)field);
}

static void print_words(const option_row *row)
{
    for (unsigned i = 0; i < row->count; i++)
        printf("%s%s", i ? "|" : "", row->word(i));
}

static void print_option(const option_row *row, cli_options *defaults)
{
    char letter[8] = "    ", value[96], left[64];
    if (row->letter)
        snprintf(letter, sizeof letter, "-%c, ", row->letter);
    snprintf(left, sizeof left, "%s--%s%s%s", letter, row->name, row->metavar ? "=" : "",
             row->metavar ? row->metavar : "");
    describe_default(row, defaults, value, sizeof value);
    printf("  %-27s %s%s", left, row->help, value);
    if (row->kind == KIND_CHOICE) {
        printf("\n%30s", "");
        print_words(row);
    }
    putchar('\n');
}

static void print_verbs(void)
{
    puts("\nWithout a terminal:");
    for (cli_verb v = CLI_TRAIN; v < CLI_VERBS; v++)
        printf("  %-16s %s\n", cli_verbs[v].name, cli_verbs[v].summary);
    puts("'kaboom VERB --help' lists the options of a verb; kaboom(1) is the manual.");
}

static void print_help(cli_verb verb)
{
    const verb_row *row = &cli_verbs[verb];
    const char *plain = verb == CLI_EXPLORE ? " of the explorer" : "";
    bool both = *row->name && *row->operand;
    printf("Usage: kaboom %s%s%s%s [OPTION]...\n", row->name, both ? " " : "", row->operand,
           row->required);
    if (verb == CLI_EXPLORE)
        puts("       kaboom VERB [OPTION]...");
    printf("\n%c%s.\n", row->summary[0] - 'a' + 'A', row->summary + 1);
    if (verb == CLI_EXPLORE)
        print_verbs();
    printf("\nOptions%s, with what holds without them in brackets:\n", plain);
    cli_options defaults = defaults_of(verb);
    for (size_t i = 0; i < cli_row_count; i++) {
        if (cli_rows[i].verbs & (1u << verb))
            print_option(&cli_rows[i], &defaults);
    }
}

/* --- what is wrong ----------------------------------------------------------------------- */
int cli_usage_error(cli_verb verb, const char *format, ...)
{
    const char *name = cli_verbs[verb].name, *blank = *name ? " " : "";
    va_list args;
    va_start(args, format);
    fprintf(stderr, "kaboom%s%s: ", blank, name);
    vfprintf(stderr, format, args);
    fprintf(stderr, "\nTry 'kaboom%s%s --help' for more information.\n", blank, name);
    va_end(args);
    return CLI_USAGE;
}

static bool is_known_elsewhere(const char *word, size_t length)
{
    for (size_t i = 0; i < cli_row_count; i++) {
        if (strlen(cli_rows[i].name) == length && strncmp(cli_rows[i].name, word, length) == 0)
            return true;
    }
    return false;
}

/* getopt refused an option: CODE is its optopt (a letter; the value of a long option that takes no
 * argument; 0), WORD the long option as it was typed. */
static int unknown_option(cli_verb verb, const char *word, int code)
{
    if (code > 0 && code < FIRST_VALUE)
        return cli_usage_error(verb, "unknown option -%c", code);
    size_t length = strcspn(word, "=");
    if (code)
        return cli_usage_error(verb, "option %.*s takes no argument", (int)length, word);
    if (length > 2 && is_known_elsewhere(word + 2, length - 2))
        return cli_usage_error(verb, "option %.*s does not belong to %s", (int)length, word,
                               *cli_verbs[verb].name ? "this verb" : "the explorer");
    size_t matches = 0;
    for (size_t i = 0; i < cli_row_count; i++)
        matches += (cli_rows[i].verbs & (1u << verb)) &&
                   strncmp(cli_rows[i].name, word + 2, length - 2) == 0;
    if (matches > 1)
        return cli_usage_error(verb, "option %.*s is ambiguous", (int)length, word);
    return cli_usage_error(verb, "unknown option %.*s", (int)length, word);
}

/* --- values ------------------------------------------------------------------------------ */
static int bad_range(cli_verb verb, const option_row *row, const char *text)
{
    const char *kind = row->kind == KIND_REAL ? "a number" : "a whole number";
    const char *word = row->zero ? row->zero : row->nan;
    return cli_usage_error(verb, "--%s: '%s' is not %s %s %.15g%s%.15g%s%s", row->name, text, kind,
                           row->above_min ? "above" : "from", row->min,
                           row->above_min ? " and at most " : " to ", row->max, word ? " or " : "",
                           word ? word : "");
}

/* Digits only: strtoull would take blanks, signs and wrap negative numbers around. */
static bool parse_digits(const char *text, uint64_t *value)
{
    if (!*text || text[strspn(text, "0123456789")])
        return false;
    errno = 0;
    *value = strtoull(text, NULL, 10);
    return errno == 0;
}

static int set_size(cli_verb verb, const option_row *row, size_t *field, const char *text)
{
    uint64_t value;
    if (row->zero && strcmp(text, row->zero) == 0) {
        *field = 0;
        return CLI_DONE;
    }
    if (!parse_digits(text, &value) || (double)value < row->min || (double)value > row->max)
        return bad_range(verb, row, text);
    *field = (size_t)value;
    return CLI_DONE;
}

static int set_span(cli_verb verb, const option_row *row, size_t *field, const char *text)
{
    char least[24];
    const char *dots = strstr(text, "..");
    size_t length = dots ? (size_t)(dots - text) : strlen(text);
    if (length >= sizeof least)
        return bad_range(verb, row, text);
    memcpy(least, text, length);
    least[length] = '\0';
    int status = set_size(verb, row, &field[0], least);
    if (!status)
        status = set_size(verb, row, &field[1], dots ? dots + 2 : least);
    if (!status && field[0] > field[1])
        return cli_usage_error(verb, "--%s: '%s' does not rise", row->name, text);
    return status;
}

static int set_real(cli_verb verb, const option_row *row, double *field, const char *text)
{
    char *end;
    if (row->zero && strcmp(text, row->zero) == 0) {
        *field = 0;
        return CLI_DONE;
    }
    if (row->nan && strcmp(text, row->nan) == 0) {
        *field = NAN;
        return CLI_DONE;
    }
    bool plain = *text && !text[strspn(text, "0123456789.eE+-")];
    double value = plain ? strtod(text, &end) : NAN;
    if (!plain || *end || !isfinite(value) || value < row->min || value > row->max ||
        (row->above_min && value <= row->min))
        return bad_range(verb, row, text);
    *field = value;
    return CLI_DONE;
}

static int set_seed(cli_verb verb, const option_row *row, uint64_t *field, const char *text)
{
    if (!parse_digits(text, field))
        return cli_usage_error(verb, "--%s: '%s' is not a whole number below 2^64", row->name,
                               text);
    return CLI_DONE;
}

static int set_choice(cli_verb verb, const option_row *row, unsigned *field, const char *text)
{
    char words[160] = "";
    for (unsigned i = 0; i < row->count; i++) {
        if (strcmp(text, row->word(i)) == 0) {
            *field = i;
            return CLI_DONE;
        }
        size_t used = strlen(words);
        snprintf(words + used, sizeof words - used, "%s%s", i ? ", " : "", row->word(i));
    }
    return cli_usage_error(verb, "--%s: '%s' is not one of: %s", row->name, text, words);
}

static int set_text(cli_verb verb, const option_row *row, const char **field, const char *text)
{
    if (!*text)
        return cli_usage_error(verb, "--%s: an empty text", row->name);
    *field = text;
    return CLI_DONE;
}

static int add_text(cli_verb verb, const option_row *row, cli_texts *field, const char *text)
{
    if (field->count == CLI_TEXTS_MAX)
        return cli_usage_error(verb, "--%s: more than %d", row->name, (int)CLI_TEXTS_MAX);
    return set_text(verb, row, &field->items[field->count++], text);
}

static int set_value(cli_options *options, const option_row *row, const char *text)
{
    void *field = field_of(options, row);
    switch (row->kind) {
    case KIND_FLAG:
        *(bool *)field = true;
        return CLI_DONE;
    case KIND_TEXT:
        return set_text(options->verb, row, field, text);
    case KIND_TEXTS:
        return add_text(options->verb, row, field, text);
    case KIND_SIZE:
        return set_size(options->verb, row, field, text);
    case KIND_SPAN:
        return set_span(options->verb, row, field, text);
    case KIND_SEED:
        return set_seed(options->verb, row, field, text);
    case KIND_REAL:
        return set_real(options->verb, row, field, text);
    case KIND_CHOICE:
        return set_choice(options->verb, row, field, text);
    case KIND_HELP:
    case KIND_VERSION:
        break; /* dealt with by the caller */
    }
    return CLI_DONE;
}

/* --- getopt_long from the table ---------------------------------------------------------- */
typedef struct getopt_tables {
    struct option longs[CLI_ROWS_MAX + 1];
    char shorts[2 * CLI_ROWS_MAX + 3];
} getopt_tables;

/* The rows that some verb of VERBS has. PREFIX: getopt's own switches. */
static void fill_getopt(getopt_tables *out, unsigned which, const char *prefix)
{
    size_t n = 0;
    char *s = stpcpy(out->shorts, prefix);
    for (size_t i = 0; i < cli_row_count; i++) {
        if (!(cli_rows[i].verbs & which))
            continue;
        int has = takes_argument(&cli_rows[i]) ? required_argument : no_argument;
        out->longs[n++] = (struct option){cli_rows[i].name, has, NULL, FIRST_VALUE + (int)i};
        if (!cli_rows[i].letter)
            continue;
        *s++ = cli_rows[i].letter;
        if (has == required_argument)
            *s++ = ':';
    }
    out->longs[n] = (struct option){0};
    *s = '\0';
}

static const option_row *row_of(int code)
{
    if (code >= FIRST_VALUE)
        return &cli_rows[code - FIRST_VALUE];
    for (size_t i = 0; i < cli_row_count; i++) {
        if (cli_rows[i].letter && cli_rows[i].letter == code)
            return &cli_rows[i];
    }
    return NULL;
}

/* The place in ARGV of the first word that is no option and no option's argument, whatever the
 * verb: ARGC when there is none. */
static int first_word(int argc, char **argv)
{
    getopt_tables getopts;
    fill_getopt(&getopts, ALL, "+:");
    optind = 0;
    opterr = 0;
    while (getopt_long(argc, argv, getopts.shorts, getopts.longs, NULL) != -1)
        ;
    return optind;
}

static cli_verb verb_of(const char *word)
{
    cli_verb verb = CLI_TRAIN;
    while (verb < CLI_VERBS && strcmp(word, cli_verbs[verb].name) != 0)
        verb++;
    return verb < CLI_VERBS ? verb : CLI_EXPLORE;
}

static int end_of_text(void)
{
    int error = output_end(stdout);
    if (error && error != EPIPE)
        fprintf(stderr, "kaboom: standard output: %s\n", strerror(error));
    return error ? CLI_FAILED : CLI_DONE;
}

static int print_and_end(const option_row *row, cli_verb verb)
{
    if (row->kind == KIND_HELP)
        print_help(verb);
    else
        puts(PACKAGE_STRING);
    return end_of_text();
}

/* -1: all options are read and optind is at the operands; otherwise an exit status. */
static int parse_options(cli_options *options, int argc, char **argv)
{
    getopt_tables getopts;
    fill_getopt(&getopts, 1u << options->verb, ":");
    optind = 0;
    for (;;) {
        int code = getopt_long(argc, argv, getopts.shorts, getopts.longs, NULL);
        if (code == -1)
            return -1;
        if (code == '?')
            return unknown_option(options->verb, argv[optind - 1], optopt);
        if (code == ':')
            return cli_usage_error(options->verb, "option --%s needs an argument",
                                   row_of(optopt)->name);
        const option_row *row = row_of(code);
        if (row->kind == KIND_HELP || row->kind == KIND_VERSION)
            return print_and_end(row, options->verb);
        if (row->with_model & (1u << options->verb))
            options->needs_model = row->name;
        int status = set_value(options, row, optarg);
        if (status)
            return status;
    }
}

/* The user's folder for what can be made again, by the XDG base directory specification; "" when
 * the environment names none. A home that is not there is not made, for it would not be one. */
static void find_cache_folder(char *folder, size_t size)
{
    const char *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    int n = 0;
    if (cache && *cache == '/')
        n = snprintf(folder, size, "%s/kaboom", cache);
    else if (home && *home == '/' && access(home, F_OK) == 0)
        n = snprintf(folder, size, "%s/.cache/kaboom", home);
    if (n <= 0 || (size_t)n >= size)
        *folder = '\0';
}

/* The user's folder for what should outlive a restart, likewise; "" when there is none. */
static void find_state_folder(char *folder, size_t size)
{
    const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
    int n = 0;
    if (state && *state == '/')
        n = snprintf(folder, size, "%s/kaboom", state);
    else if (home && *home == '/' && access(home, F_OK) == 0)
        n = snprintf(folder, size, "%s/.local/state/kaboom", home);
    if (n <= 0 || (size_t)n >= size)
        *folder = '\0';
}

/* FOLDER and those above it, as far as they are missing. */
static void make_folders(char *folder)
{
    for (char *p = folder + 1; *p; p++) {
        if (*p != '/')
            continue;
        *p = '\0';
        (void)mkdir(folder, 0700);
        *p = '/';
    }
    (void)mkdir(folder, 0700);
}

/* PATH by its folder's real name, whether it is there or not; NULL: no memory, or no such folder.
 */
static char *place_of(const char *path)
{
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    char *folder = slash ? strndup(path, (size_t)(slash - path + 1)) : strdup(".");
    char *real = folder ? realpath(folder, NULL) : NULL, *place = NULL;
    if (real && asprintf(&place, "%s/%s", real, name) < 0)
        place = NULL;
    free(folder);
    free(real);
    return place;
}

/* A state goes with a folder that is watched and the file that labels are appended to. */
static void set_up_state(cli_options *options)
{
    char folder[4000], *dir = realpath(options->operand, NULL);
    char *out = options->output ? place_of(options->output) : NULL;
    const char *parts[] = {dir ? dir : options->operand, "\n",
                           out               ? out
                           : options->output ? options->output
                                             : ""};
    uint64_t hash = UINT64_C(0xCBF29CE484222325); /* FNV-1a */
    for (size_t i = 0; i < 3; i++)
        for (const char *p = parts[i]; *p; p++)
            hash = (hash ^ (unsigned char)*p) * UINT64_C(0x100000001B3);
    find_state_folder(folder, sizeof folder);
    if (options->state)
        snprintf(options->state_file, sizeof options->state_file, "%s", options->state);
    else if (*folder)
        snprintf(options->state_file, sizeof options->state_file, "%s/watch-%016llx.state", folder,
                 (unsigned long long)hash);
    if (!options->state && *folder)
        make_folders(folder);
    free(dir);
    free(out);
}

static void set_up_cache(cli_options *options)
{
    find_cache_folder(options->cache_folder, sizeof options->cache_folder);
    options->cache = kb_cache_defaults(options->cache_folder);
    options->cache.limit = (uint64_t)options->cache_limit << 20;
    if (!options->no_cache && *options->cache_folder)
        options->reading.cache = &options->cache;
    options->reading.fresh = options->verb == CLI_CHECK;
}

/* Settings that several modules share are given once. */
/* What is asked for a map goes for what is placed into one, too; more neighbours, where a higher
 * perplexity wants them. */
static void spread_map(cli_options *options)
{
    options->map.seed = options->seed;
    if (options->map_iterations)
        options->map.iterations = options->placing.iterations = options->map_iterations;
    if (options->map.perplexity > 0) {
        size_t wanted = (size_t)(3 * options->map.perplexity) + 1;
        options->placing.perplexity = options->map.perplexity;
        if (options->placing.neighbours < wanted)
            options->placing.neighbours = wanted;
    }
}

static void spread(cli_options *options)
{
    set_up_cache(options);
    spread_map(options);
    options->training.seed = options->seed;
    options->calibration.seed = options->seed;
    options->calibration.split = options->split == CLI_SPLIT_ALL ? KB_SPLITS : (int)options->split;
    options->filtering.open = options->watching.open = options->open;
    options->filtering.settle = options->watching.settle = options->settle;
    options->generation.seed = options->seed;
    options->importing.strict = options->reading.strict;
    options->reading.fill_given = options->fill != 0;
    options->reading.timesteps_given = options->timesteps != 0;
    if (options->fill)
        options->reading.fill = (kb_fill)(options->fill - 1);
    if (options->timesteps) {
        options->reading.timesteps = options->timesteps;
        options->generation.timesteps = options->timesteps;
    }
}

/* Whether the sessions were chosen by hand. */
static bool described(const cli_options *options)
{
    return options->where.count || options->sessions;
}

/* Such a set needs no model. */
static bool needs_model(const cli_options *options)
{
    if (!((1u << options->verb) & ON_MODEL) || options->verb == CLI_EXPLORE)
        return false;
    bool chosen = options->verb == CLI_EXPLAIN && described(options);
    return !chosen || options->cluster || options->by == CLI_BY_MUTATION ||
           options->representatives;
}

/* --given is for measures that compare sessions with each other. */
static int check_explain(const cli_options *options)
{
    bool tested = options->by != CLI_BY_MUTATION &&
                  kb_measure_test((kb_measure)options->by) != KB_TESTS &&
                  kb_measure_test((kb_measure)options->by) != KB_TEST_MEAN;
    if (options->given && !tested)
        return cli_usage_error(options->verb,
                               "--given goes with --by combined, growth, rank, odds");
    if (options->given && options->representatives)
        return cli_usage_error(options->verb, "--given and --representatives exclude each other");
    return CLI_DONE;
}

/* Sessions become complete one by one only where they come one by one; what is known of them lies
 * beside their readings. */
static int check_streaming(const cli_options *options)
{
    bool assigning = options->verb == CLI_ASSIGN;
    bool stream = assigning && strcmp(options->operand, "-") == 0;
    const kb_filter_options standard = kb_filter_defaults();
    if (assigning && !stream &&
        (options->filtering.grouped || options->open != standard.open ||
         options->settle != standard.settle))
        return cli_usage_error(options->verb,
                               "--grouped, --open and --settle are for standard input (-)");
    if (assigning && stream && options->memory)
        return cli_usage_error(options->verb, "--memory: standard input is never held in memory");
    if (assigning && stream && options->split != CLI_SPLIT_ALL)
        return cli_usage_error(options->verb, "--split: standard input has no splits");
    bool watching = options->verb == CLI_WATCH;
    if (watching && !options->settle)
        return cli_usage_error(options->verb, "--settle: a session that is never complete gets no "
                                              "label");
    if (watching && options->state && strlen(options->state) >= sizeof options->state_file)
        return cli_usage_error(options->verb, "--state: the name is too long");
    if (watching && options->output && options->format == OUTPUT_TABLE)
        return cli_usage_error(options->verb,
                               "--format table is for people: --output has csv or json");
    return CLI_DONE;
}

/* What one row cannot see: options that need or exclude each other, and each module's own rules. */
static int check_together(const cli_options *options)
{
    kb_error err = {0};
    unsigned bit = 1u << options->verb;
    kb_status status = KB_OK;
    if (options->quiet && options->verbose)
        return cli_usage_error(options->verb, "--quiet and --verbose exclude each other");
    if (!options->model && needs_model(options))
        return cli_usage_error(options->verb, "which model? Give it with -m MODEL");
    if (!options->output && options->verb == CLI_TRAIN)
        return cli_usage_error(options->verb, "where to? Name the model to write with -o MODEL");
    int streaming = check_streaming(options);
    if (streaming)
        return streaming;
    if (options->list && options->clear)
        return cli_usage_error(options->verb, "--list and --clear exclude each other");
    if ((bit & V(NGRAMS)) && options->cluster && !options->model)
        return cli_usage_error(options->verb, "--cluster goes with -m MODEL");
    if (options->needs_model && !options->model && !described(options))
        return cli_usage_error(options->verb, "--%s goes with -m MODEL, --where or --sessions",
                               options->needs_model);
    if (options->map_corpus && !options->into)
        return cli_usage_error(options->verb, "--map-corpus goes with --into MAP.csv");
    if ((bit & V(EXPLAIN)) && check_explain(options) != CLI_DONE)
        return CLI_USAGE;
    if (bit & (ON_CORPUS | V(NGRAMS)))
        status = kb_corpus_check(&options->reading, &err);
    if (!status && (bit & TRAINING))
        status = kb_train_check(&options->training, &err);
    if (!status && (bit & (CALIBRATION | V(ELBOW))))
        status = kb_calibrate_check(&options->calibration, &err);
    if (!status && (bit & V(NGRAMS)))
        status = kb_truncation_check(&options->starts, &err);
    if (!status && (bit & (V(COMPARE) | V(NAME))))
        status = kb_comparison_check(&options->comparison, &err);
    if (!status && (bit & V(GENERATE)))
        status = kb_generate_check(&options->generation, &err);
    if (!status && (bit & V(IMPORT)))
        status = kb_import_check(options->import_format, options->operands[1], &options->importing,
                                 &err);
    return status ? cli_usage_error(options->verb, "%s", err.text) : CLI_DONE;
}

/* The name of operand I of a row's, or NULL when it has fewer; *LENGTH its bytes. One in brackets
 * may be left out, or be empty. */
static const char *operand_name(const verb_row *row, size_t i, int *length)
{
    const char *name = row->operand;
    for (; *name && i; i--) {
        name += strcspn(name, " ");
        name += strspn(name, " ");
    }
    *length = (int)strcspn(name, " ");
    return *name ? name : NULL;
}

static int too_many(const cli_options *options, const char *word)
{
    cli_verb verb = options->verb;
    const char *names = cli_verbs[verb].operand;
    if (verb == CLI_EXPLORE && access(options->operand, F_OK) != 0)
        return cli_usage_error(verb, "'%s' is neither a verb nor there to be opened",
                               options->operand);
    if (!*names)
        return cli_usage_error(verb, "no operand is needed: what is '%s'?", word);
    if (strchr(names, ' '))
        return cli_usage_error(verb, "%s are enough: what is '%s'?", names, word);
    return cli_usage_error(verb, "one %s is enough: what is '%s'?", names, word);
}

static int take_operands(cli_options *options, int argc, char **argv)
{
    const verb_row *row = &cli_verbs[options->verb];
    const char *name;
    int length;
    for (size_t i = 0; i < CLI_OPERANDS_MAX && (name = operand_name(row, i, &length)); i++) {
        bool optional = *name == '[';
        if (optind >= argc && optional)
            break;
        if (optind >= argc)
            return cli_usage_error(options->verb, "%.*s is missing", length, name);
        options->operands[i] = argv[optind++];
        if (!*options->operands[i] && !optional)
            return cli_usage_error(options->verb, "%.*s is empty", length, name);
    }
    options->operand = options->operands[0];
    return optind < argc ? too_many(options, argv[optind]) : CLI_DONE;
}

static int take_import_format(cli_options *options)
{
    char words[160] = "";
    if (options->verb != CLI_IMPORT ||
        kb_import_format_parse(&options->import_format, options->operands[0]))
        return CLI_DONE;
    for (int i = 0; i < KB_IMPORT_FORMATS; i++) {
        size_t used = strlen(words);
        snprintf(words + used, sizeof words - used, "%s%s", i ? ", " : "",
                 kb_import_format_name((kb_import_format)i));
    }
    return cli_usage_error(options->verb, "FORMAT '%s' is not one of: %s", options->operands[0],
                           words);
}

/* Moves the verb's word out of the way, so that what is left are options and operands. */
static cli_verb take_verb(int *argc, char **argv)
{
    int at = first_word(*argc, argv);
    cli_verb verb = at < *argc && strcmp(argv[at - 1], "--") != 0 ? verb_of(argv[at]) : CLI_EXPLORE;
    if (verb == CLI_EXPLORE)
        return verb;
    for (int i = at; i + 1 < *argc; i++)
        argv[i] = argv[i + 1];
    --*argc;
    return verb;
}

bool cli_parse(cli_options *options, int argc, char **argv, int *status)
{
    cli_verb verb = take_verb(&argc, argv);
    *options = defaults_of(verb);
    *status = parse_options(options, argc, argv);
    if (*status >= 0)
        return false;
    spread(options);
    *status = take_operands(options, argc, argv);
    if (*status == CLI_DONE)
        *status = take_import_format(options);
    if (*status == CLI_DONE)
        *status = check_together(options);
    if (*status == CLI_DONE && options->verb == CLI_WATCH)
        set_up_state(options);
    return *status == CLI_DONE;
}
