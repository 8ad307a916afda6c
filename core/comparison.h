/* comparison: which clusters of one model are which of another's, or what became of a model's
 * clusters from one corpus to another: the same, grown, shrunk, gone, come back, new, split,
 * merged.
 *
 * A and B are the earlier and the later side. The two are the same model: clusters are matched by
 * number. Two models with sessions that both assigned: by members. Two models alone: by profiles
 * (profile.h).
 *
 * By members, over the sessions that both assigned: a_i and b_j are the sizes of the clusters, n_ij
 * what they share; a session that a model calls emerging is in none of its clusters. Pairs are
 * given by the Hungarian algorithm, which makes the sum of Jaccard indices n_ij / (a_i + b_j -
 * n_ij) the largest; a pair holds if n_ij >= overlap min(a_i, b_j). b_j is a part of a_i if n_ij >=
 * overlap b_j and n_ij >= part a_i; a_i with two parts or more is split, and so the other way round
 * for merged. Where A and B are told by the
 * sessions of two corpora, a cluster that by its own model is in one of these alone (by rest and
 * alpha) is matched with such ones only: a type that one corpus lacks lies somewhere in that
 * corpus's model all the same. What has neither pair nor part is gone, or new. Before all that, b_j
 * has come back where it and a cluster retired in A would share at least overlap of either. */
#ifndef KB_COMPARISON_H
#define KB_COMPARISON_H

#include "corpus.h"
#include "model.h"

typedef enum kb_change {
    KB_CHANGE_SAME,
    KB_CHANGE_GROWN,
    KB_CHANGE_SHRUNK,
    KB_CHANGE_GONE,
    KB_CHANGE_BACK,
    KB_CHANGE_NEW,
    KB_CHANGE_SPLIT,
    KB_CHANGE_MERGED
} kb_change;

enum { KB_CHANGES = 8 };

const char *kb_change_name(kb_change change); /* "same", ..., "come back", ... */

typedef enum kb_match_kind { KB_MATCH_MEMBERS, KB_MATCH_PROFILES, KB_MATCH_NUMBER } kb_match_kind;

const char *kb_match_name(kb_match_kind kind); /* "members", "profiles", "number" */

typedef struct kb_comparison_options {
    double overlap;    /* 0 < overlap <= 1: what a pair shares of the smaller. Default .5 */
    double part;       /* 0..1: what a part is of the whole, at least. Default .1 */
    double similarity; /* -1..1: of profiles that make a pair. Default .5 */
    double ratio; /* >= 1: share of B / share of A (or the other way round) from which a cluster
                     has grown (shrunk). Default 1.25 */
    double rest;  /* 0..1: share of B / share of A up to which it is gone (the other way round:
                     has come back). Default .15 */
    double alpha; /* 0..1: q up to which a change of shares is believed. Default .05 */
} kb_comparison_options;

kb_comparison_options kb_comparison_defaults(void);
kb_status kb_comparison_check(const kb_comparison_options *options, kb_error *err);

/* One of the two. Nothing is owned. */
typedef struct kb_side {
    const kb_model *model;
    /* What the model says of the COUNT sessions; NULL: there are none, and what counts are the
     * sizes of its calibration. The two sides of different models have the same sessions. */
    const kb_assignment *assigned;
    size_t count;
    size_t begin, end; /* the sessions whose shares are told, of the COUNT */
    /* For side A with retired clusters: the number of the one that a session would be in, 0 none
     * (kb_assign_retired); NULL: not known. COUNT. */
    const uint32_t *retired;
} kb_side;

typedef struct kb_change_row {
    uint32_t a, b; /* numbers of clusters, 0: none. Both 0: the emerging sessions */
    kb_change change;
    size_t shared;                  /* n_ij; 0 unless by members */
    double jaccard, a_in_b, b_in_a; /* n_ij / a_i and n_ij / b_j; NAN unless by members */
    double similarity;              /* NAN unless by profiles */
    size_t sessions_a, sessions_b;  /* of each cluster alone */
    double share_a, share_b;        /* of all sessions that count on that side */
    double p, q;  /* of the change in shares, of the whole to its parts together where it is split
                     (merged); see kb_compare */
    bool partner; /* the pair of the Hungarian algorithm: a name of A's goes with it to B's */
} kb_change_row;

typedef struct kb_comparison {
    kb_match_kind kind;
    bool same_sessions;      /* the shares of both sides are of the same sessions */
    size_t total_a, total_b; /* sessions that count: with a cluster, the emerging ones included */
    size_t count;
    kb_change_row *rows; /* A's clusters by number with what became of each, then B's without one by
                            number, then, but by profiles, the emerging sessions */
} kb_comparison;

/* P is McNemar's exact test where both sides count the same sessions, Fisher's exact test where
 * they count different ones; q is by Benjamini and Hochberg, over the changes (not over their
 * rows). A change of shares is believed with q <= alpha. OUT is cleared by the caller on success.
 * KB_ERR_USAGE: a model without clusters, or one without profiles where those are asked for. */
kb_status kb_compare(kb_comparison *out, const kb_side *a, const kb_side *b,
                     const kb_comparison_options *options, kb_error *err);
void kb_comparison_clear(kb_comparison *comparison);

/* RETIRED[i]: the number of the retired cluster of MODEL whose centroid SESSIONS[i], COUNT of them,
 * is nearer to than to any other centroid; 0 where a cluster of the last calibration is nearer, or
 * the session has no rows, or that cluster has come back. Embeds the sessions: reports and is
 * cancelled as kb_assign. */
kb_status kb_assign_retired(uint32_t *retired, const kb_model *model, const kb_corpus *corpus,
                            const size_t *sessions, size_t count, kb_pool *pool,
                            const kb_progress *progress, kb_error *err);

/* TO gets the names of FROM's clusters, those gone included, that COMPARISON (FROM is A, TO is B)
 * matches with one of its own; where it has a name already that stays. CARRIED (room for
 * comparison->count): true for rows whose name went along. */
kb_status kb_carry_names(kb_model *to, const kb_model *from, const kb_comparison *comparison,
                         bool *carried, kb_error *err);

#endif
