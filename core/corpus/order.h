/* order: names renumbered by their bytewise order, so that ids do not depend on which file was read
 * first. */
#ifndef KB_ORDER_H
#define KB_ORDER_H

#include <stdint.h>

#include "names.h"

/* A table of the same names with rising ids; *NEW_ID (by old id; freed by the caller with free)
 * tells how they moved. NULL, and *NEW_ID NULL, when there is no memory. */
kb_names *kb_names_in_order(const kb_names *names, uint32_t **new_id);

#endif
