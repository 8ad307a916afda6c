/* courses: which course the readings of an object take over a session, and how usual that is in a
 * group of training sessions.
 *
 * A course is what is left of a series when its amount is taken away: the means of KB_COURSE_BINS
 * equal parts of the session over the largest of them. Courses fall into C classes (K-means of
 * those of the training sessions, of all objects together), and each group has a distribution over
 * them for each object. A known object that takes a course which it never took, as one that begins
 * to leak does, surprises; a session without anything new does not, whether or not it is like any
 * group. Legend: G groups, M objects seen in training, C classes. */
#ifndef KB_COURSES_H
#define KB_COURSES_H

#include "names.h"
#include "status.h"
#include "store.h"

enum { KB_COURSE_BINS = 6, KB_COURSE_CLASSES = 8 /* at most */ };

typedef struct kb_courses {
    size_t classes; /* C; 0: there are none (a model from before they were kept) */
    size_t groups;  /* G */
    size_t objects; /* M */
    float *course;  /* C x KB_COURSE_BINS: the mean course of each class */
    float *rates;   /* G x M x C: share of the object's series in the group's sessions that are of
                       the class, drawn towards that in all sessions; in (0, 1] */
    /* Made from the above by kb_courses_finish, in nats; H is -log(rate) of a random series. */
    float *expected; /* G x M: mean of H */
    float *spread2;  /* G x M: variance of H */
} kb_courses;

/* What courses are fitted on. */
typedef struct kb_courses_source {
    const kb_store *store;
    const uint32_t *number; /* by the store's object: 0 .. objects-1, or KB_NAME_NONE */
    const size_t *sessions; /* COUNT ids of the store */
    const size_t *group;    /* COUNT: 0 .. groups-1, or SIZE_MAX for a session in none */
    size_t count, objects, groups;
} kb_courses_source;

/* No classes where SOURCE has no series. On success *OUT owns its arrays until kb_courses_clear, on
 * failure it is zeroed. */
kb_status kb_courses_fit(kb_courses *out, const kb_courses_source *source, kb_error *err);
/* What is made from the rest (after fitting or loading). */
kb_status kb_courses_finish(kb_courses *courses, kb_error *err);
void kb_courses_clear(kb_courses *courses); /* frees and zeroes; fine on a zeroed struct */

/* How much more the courses of a session's objects surprise than those of sessions of group G:
 *   sum over o of (H_o - E H_o) / sqrt(max(1, sum over o of var H_o))
 * over its objects that NUMBER (as above) knows. 0 without classes. */
double kb_courses_surprise(const kb_courses *courses, const kb_store *store, size_t session,
                           const uint32_t *number, size_t g);

#endif
