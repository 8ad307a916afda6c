/* fold: objects that do the same in the same sessions told as one. What is allocated together (a
 * view and its layer, a string and its bytes) otherwise fills the top of a list with one finding.
 *
 * Two objects are near-duplicates when at least .95 of the sessions considered that have one of
 * them have both (Jaccard), and both their levels and their rises over all sessions considered are
 * correlated (Pearson) by at least .95. Each is folded into the first row of the ranking that it is
 * a near-duplicate of and that is not folded itself. */
#ifndef KB_FOLD_H
#define KB_FOLD_H

#include "contrast.h"

/* ORDER (COUNT): kb_contrast_order's. LEADER[i] becomes the place in ORDER of the row that stands
 * for the I-th: i itself, or an earlier one. Only the first MOST rows that stand for themselves
 * (0: all) take others in. TRAITS are those of the contrast. Any thread. Takes about M times the
 * traits of M objects; cancellable. */
kb_status kb_fold(size_t *leader, const kb_contrast *contrast, const kb_traits *traits,
                  const size_t *order, size_t count, size_t most, const kb_progress *progress,
                  kb_error *err);

#endif
