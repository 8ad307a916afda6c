/* view_choice: which view of the features (scaling.h), without labels.
 *
 * Views of the same sessions that are made in different ways agree where there are groups, and each
 * errs in its own way where there are none. So each view of a panel is clustered by K-means on its
 * 64 leading principal components, for k = 3, 4, 6, 9, 12 and 15, and gets for each k
 *
 *   score = agreement * stability
 *
 * agreement: the mean adjusted mutual information with the two views that it agrees with most. Of
 * those that a view of raw amounts (trajectory, growth, growth-root) agrees with at most one may be
 * another one: there the few objects of which there is most decide, and they would confirm each
 * other's accidents.
 * stability: the mean adjusted Rand index between clusterings of all sessions by centroids found in
 * one half and in the other.
 *
 * A view's score is the mean of its best three, for only near the right k anything is stable. All
 * scores are kept, to be shown: near ties are common, and then each is about as good.
 *
 * How many clusters there are is not asked here: in the latent space, after clustering has drawn
 * sessions of a kind together, the silhouette tells (elbow.h) what in the views lies within
 * noise. */
#ifndef KB_VIEW_CHOICE_H
#define KB_VIEW_CHOICE_H

#include "feature_view.h"
#include "pool.h"
#include "progress.h"
#include "status.h"

enum { KB_PANEL = 8 };

typedef struct kb_view_score {
    kb_scale scale;
    double agreement, stability, score;
} kb_view_score;

typedef struct kb_view_choice {
    kb_view_score views[KB_PANEL]; /* by falling score */
    size_t view_count;             /* those that could be compared */
    kb_scale scale;                /* the choice */
} kb_view_choice;

typedef struct kb_view_choice_options {
    double min_presence;
    uint64_t seed;
} kb_view_choice_options;

/* Looks at SESSIONS (COUNT ids of CORPUS, at most 1,000 of them drawn by the seed). Where no
 * view can be compared, because sessions are few or alike, the choice is the first (bins-max).
 * Reports phase "choosing a view". The same for any number of threads of POOL. */
kb_status kb_view_choose(kb_view_choice *out, const kb_corpus *corpus, const size_t *sessions,
                         size_t count, const kb_view_choice_options *options, kb_pool *pool,
                         const kb_progress *progress, kb_error *err);

#endif
