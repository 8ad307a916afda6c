/* parts: what several views show alike. */
#ifndef KB_PARTS_H
#define KB_PARTS_H

#include "view.h"

/* --- sessions as rows --------------------------------------------------------------------- */
enum { KB_SESSION_COLUMNS = 11 };
extern const kb_sheet_column kb_session_columns[KB_SESSION_COLUMNS];
/* The cell of a session in one of these columns. */
void kb_session_cell(const kb_data *data, size_t session, size_t column, kb_value *value);

/* Session ids kept by a view. */
typedef struct kb_ids {
    size_t *items;
    size_t count, capacity;
    uint64_t version; /* of what they were made from; 0: not made yet */
} kb_ids;

bool kb_ids_add(kb_ids *ids, size_t id);
void kb_ids_free(kb_ids *ids);

/* --- small drawings ----------------------------------------------------------------------- */
/* "LABEL VALUE" in two inks; returns the cells used, a gap behind it included. */
int kb_draw_fact(kb_canvas *canvas, int x, int y, int cols, const char *label, const char *value);
/* The glyph of a cluster in its colour and "C3". Returns the cells used. */
int kb_draw_cluster(kb_canvas *canvas, int x, int y, uint32_t number);
/* The session's readings of OBJECT as a sparkline from 0 to the series' own maximum. */
void kb_draw_series(kb_ui *ui, kb_canvas *canvas, kb_rect rect, size_t session, uint32_t object);
/* The same as a chart with axes, over the steps that the session has. */
void kb_draw_series_chart(kb_ui *ui, kb_canvas *canvas, kb_rect rect, size_t session,
                          uint32_t object);
/* The chart under a line that names both. */
void kb_draw_series_beside(kb_ui *ui, kb_canvas *canvas, kb_rect rect, size_t session,
                           uint32_t object);
/* The clusters, a line each: sessions and the first object. */
void kb_draw_clusters(kb_ui *ui, kb_canvas *canvas, kb_rect rect);
/* A text in the middle of RECT, wrapped. */
void kb_draw_notice(kb_canvas *canvas, kb_rect rect, unsigned ink, const char *text);
/* The first objects of a cluster by F, with bars, into RECT under a title. */
void kb_draw_cluster_objects(kb_ui *ui, kb_canvas *canvas, kb_rect rect, uint32_t cluster);
/* What is known of a session, a line each; returns the rows used. */
int kb_draw_session_facts(kb_ui *ui, kb_canvas *canvas, kb_rect rect, size_t session);
/* The session's objects with the strongest F in its cluster as sparklines. */
void kb_draw_session_objects(kb_ui *ui, kb_canvas *canvas, kb_rect rect, size_t session);

/* --- the objects of one session ----------------------------------------------------------- */
typedef struct kb_session_object {
    uint32_t object;
    float most, last;
    bool ranked; /* its rank, presence, other and F in the session's cluster are known */
    size_t rank;
    double presence, other, f1;
} kb_session_object;

/* The objects of SESSION in the order of its cluster's ranking, or of their maxima before there are
 * clusters. The caller frees *OUT. Returns how many; 0 without memory. */
size_t kb_session_objects(kb_data *data, size_t session, kb_session_object **out);

/* A number that changes with each of its two arguments, for sheet versions. */
static inline uint64_t kb_version_of(uint64_t a, uint64_t b)
{
    return a * 1000003u + b + 1;
}

#endif
