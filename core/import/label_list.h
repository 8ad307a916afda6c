/* label_list: the names of labels in "NAME,NAME,...". Blanks around a name do not count; "none" is
 * an empty list. */
#ifndef KB_LABEL_LIST_H
#define KB_LABEL_LIST_H

#include "names.h"
#include "status.h"

/* *OUT is for the caller to free. KB_ERR_USAGE says what is wrong with TEXT: a name is empty, or
 * "__name__", which is the metric's own. */
kb_status kb_label_list_parse(kb_names **out, const char *text, kb_error *err);
/* Only whether TEXT is a list. */
kb_status kb_label_list_check(const char *text, kb_error *err);

#endif
