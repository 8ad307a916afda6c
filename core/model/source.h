/* source: where a network's batches come from. The training loop asks for rows by number and never
 * knows whether they are coordinates that already lie on the device (B x r) or inputs made from the
 * corpus as they are needed (B x D). */
#ifndef KB_SOURCE_H
#define KB_SOURCE_H

#include "basis.h"
#include "device.h"
#include "feature_view.h"
#include "status.h"

typedef struct kb_source kb_source;

struct kb_source {
    size_t count, cols;
    /* TO (n x cols) = rows ROWS[0..n-1]. */
    void (*fill)(kb_source *source, kb_device *dev, kb_span to, const size_t *rows, size_t n);
    void (*free)(kb_source *source);
};

/* Y (count x cols) is copied to DEV, which outlives the source. */
kb_status kb_source_coordinates(kb_source **out, kb_device *dev, const float *y, size_t count,
                                size_t cols, kb_error *err);
/* Standardised inputs of SESSIONS (borrowed, as VIEW and BASIS are); MAX_ROWS: the largest n of a
 * fill. */
kb_status kb_source_inputs(kb_source **out, const kb_view *view, const kb_basis *basis,
                           const size_t *sessions, size_t count, size_t max_rows, kb_error *err);
void kb_source_free(kb_source *source); /* NULL is fine */

#endif
