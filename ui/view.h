/* view: what every screen of the explorer is: a table of operations over a pane.
 *
 * A pane is one view that is open: its target (which cluster, session, object), its list and its
 * own state. A view names its data as a sheet in `refresh`; the explorer shows the sheet as a list,
 * sorts, filters and exports it. A view with a picture has `draw` as well, and the sheet then is
 * the table behind the picture. Operations are called on the screen's thread; none blocks. */
#ifndef KB_VIEW_H
#define KB_VIEW_H

#include "braille.h"
#include "canvas.h"
#include "data.h"
#include "keys.h"
#include "list.h"
#include "sheet.h"

typedef struct kb_pane kb_pane;
typedef struct kb_view_ops kb_view_ops;

/* What a pane is about; each view says which of these it uses. */
typedef struct kb_target {
    uint32_t cluster; /* number; 0: none */
    size_t session;
    uint32_t object;
} kb_target;

/* What all panes share. */
typedef struct kb_ui {
    kb_data *data;
    kb_keys keys;
    kb_dots_mode dots;
    bool ascii;
    char message[1024]; /* for the bottom line; "" none */
    bool alarming;      /* it tells of an error */
    struct {
        const kb_view_ops *view; /* to be opened once the operation returns; NULL: none */
        kb_target target;
        bool instead; /* in place of the pane that asks */
    } wish;
    int cursor_x, cursor_y; /* where the terminal's cursor goes; x -1: nowhere in particular */
    float *series;          /* data->longest floats, for kb_ui_series */
} kb_ui;

typedef struct kb_mouse {
    enum {
        KB_MOUSE_PRESS,
        KB_MOUSE_DRAG,
        KB_MOUSE_RELEASE,
        KB_MOUSE_WHEEL_UP,
        KB_MOUSE_WHEEL_DOWN
    } kind;
    int button; /* 1 left, 2 middle, 3 right */
    int x, y;   /* cells from 0 */
} kb_mouse;

struct kb_view_ops {
    const char *name;  /* in tabs, breadcrumbs, file names */
    unsigned scopes;   /* KB_IN_* of its own keys */
    size_t state_size; /* of pane->state, zeroed; 0: none */
    /* The breadcrumb: the name and what it is about. NULL: the name. */
    void (*title)(kb_pane *pane, char *text, size_t size);
    /* Before each drawing: fills pane->sheet, or pane->wait where there is nothing to show yet.
     * Quick while nothing has changed. */
    void (*refresh)(kb_pane *pane);
    /* The picture. NULL: the sheet as a list. */
    void (*draw)(kb_pane *pane, kb_canvas *canvas, kb_rect rect);
    /* Above a list, at most RECT; returns the rows used. NULL: nothing. */
    int (*head)(kb_pane *pane, kb_canvas *canvas, kb_rect rect);
    /* Beside a list on wide screens. NULL: nothing. */
    void (*aside)(kb_pane *pane, kb_canvas *canvas, kb_rect rect);
    /* What a command does here; false: nothing in particular. Comes before what lists do. */
    bool (*act)(kb_pane *pane, kb_do command);
    /* On a picture. NULL: nothing. */
    bool (*mouse)(kb_pane *pane, kb_rect rect, const kb_mouse *mouse);
    void (*leave)(kb_pane *pane); /* frees what the state holds; NULL: nothing */
};

struct kb_pane {
    const kb_view_ops *ops;
    kb_ui *ui;
    kb_target target;
    kb_sheet sheet;
    kb_list list;
    bool as_table;   /* the sheet in place of the picture */
    char wait[1024]; /* why there is nothing to show; "" there is */
    kb_rect body;    /* as last drawn */
    kb_rect rows;    /* of the list, as last drawn */
    void *state;
};

/* --- for views ---------------------------------------------------------------------------- */
/* Asks for another view once the operation has returned. */
void kb_ui_open(kb_ui *ui, const kb_view_ops *view, kb_target target);
void kb_ui_say(kb_ui *ui, const char *format, ...) __attribute__((format(printf, 2, 3)));
void kb_ui_complain(kb_ui *ui, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The readings of an object in a session over as many steps as the longest session has (zeros on
 * the left of a shorter one), *COUNT of them; good until the next call. NULL: no memory or no
 * corpus. */
const float *kb_ui_series(kb_ui *ui, size_t session, uint32_t object, size_t *count);
/* The row of the sheet that is selected, after bringing the list up to date; SIZE_MAX: none. */
size_t kb_pane_row(kb_pane *pane);
/* Whether the pane shows its sheet as a list. */
static inline bool kb_pane_is_list(const kb_pane *pane)
{
    return !pane->ops->draw || pane->as_table;
}

/* --- the views ---------------------------------------------------------------------------- */
extern const kb_view_ops kb_overview_view, kb_clusters_view, kb_map_view, kb_elbow_view,
    kb_sessions_view, kb_objects_view, kb_ngrams_view, kb_problems_view;
extern const kb_view_ops kb_cluster_objects_view;  /* target.cluster */
extern const kb_view_ops kb_cluster_sessions_view; /* target.cluster */
extern const kb_view_ops kb_cluster_ngrams_view;   /* target.cluster */
extern const kb_view_ops kb_session_view;          /* target.session */
extern const kb_view_ops kb_series_view;           /* target.session, target.object */
extern const kb_view_ops kb_object_view;           /* target.object; target.cluster or 0 */

enum { KB_TOP_VIEWS = 8 };

#endif
