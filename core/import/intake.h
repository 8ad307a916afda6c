/* intake: what an importer hands its findings to. It checks them by the rules of a corpus, writes
 * what passes, and tells and counts what does not. Owns the files being written, the problems and
 * the names seen so far. Not thread-safe. */
#ifndef KB_INTAKE_H
#define KB_INTAKE_H

#include "corpus_writer.h"
#include "import.h"

typedef struct kb_intake kb_intake;

/* Where in the input something was found. */
typedef struct kb_place {
    const char *file;  /* as the user would name it */
    uint64_t line;     /* from 1; 0: the file as a whole */
    const char *where; /* which part of the line; NULL: all of it */
} kb_place;

/* What can be known of a session. */
typedef enum kb_trait {
    KB_TRAIT_USER,
    KB_TRAIT_VERSION,
    KB_TRAIT_SPLIT,
    KB_TRAIT_LABEL,
    KB_TRAITS
} kb_trait;

/* The files go into DIR, see corpus_writer.h. OPTIONS outlive the intake. */
kb_status kb_intake_open(kb_intake **out, const char *dir, const kb_import_options *options,
                         kb_error *err);
void kb_intake_abort(kb_intake *intake); /* NULL is fine */
/* Writes sessions.csv and gives all files their names. Where there is no row it is KB_ERR_FORMAT:
 * IN and why, as far as the first problem tells, or what kb_intake_idle heard first. Frees INTAKE
 * whatever it returns. */
kb_status kb_intake_commit(kb_intake *intake, const char *in, kb_import_result *result,
                           kb_error *err);

/* A row each. Times and values are written as they are spelled. A row that does not pass is
 * rejected, which is KB_OK unless strict. */
kb_status kb_intake_reading(kb_intake *intake, const kb_place *at, kb_cell session, kb_cell time,
                            kb_cell object, kb_cell value, kb_error *err);
/* SESSION may be empty. */
kb_status kb_intake_event(kb_intake *intake, const kb_place *at, kb_cell user, kb_cell time,
                          kb_cell event, kb_cell session, kb_error *err);
/* What is known of SESSION; empty cells are not. What came first stays; another value later is
 * told, once for each session and trait. Bad names and values are told; no row is left out by that.
 */
kb_status kb_intake_session(kb_intake *intake, const kb_place *at, kb_cell session,
                            const kb_cell traits[KB_TRAITS], kb_error *err);

enum { KB_REASON = 512 };

/* A name as a corpus takes it; false: REASON (KB_REASON bytes) says what is wrong with this name of
 * a WHAT. */
bool kb_intake_name(const char *what, kb_cell name, char *reason);

/* A row is left out. KB_ERR_FORMAT when strict. */
kb_status kb_intake_reject(kb_intake *intake, const kb_place *at, kb_error *err, const char *format,
                           ...) __attribute__((format(printf, 4, 5)));
/* The same for a problem that leaves no row out. */
kb_status kb_intake_tell(kb_intake *intake, const kb_place *at, kb_error *err, const char *format,
                         ...) __attribute__((format(printf, 4, 5)));
/* ROWS more are left out; why is told by other means. */
void kb_intake_left_out(kb_intake *intake, uint64_t rows);
/* A file could not be read to its end, or is not what it should be, for the reason in DAMAGE (it
 * may begin with the file's name and ": "). What came before stays. KB_ERR_FORMAT when strict. */
kb_status kb_intake_damage(kb_intake *intake, const char *file, uint64_t line,
                           const kb_error *damage, kb_error *err);
/* Something that is in order and yet no row, for REASON. It may be a line that only DESCRIBES a
 * session. */
void kb_intake_idle(kb_intake *intake, const kb_place *at, bool describes, const char *reason);

uint64_t kb_intake_rows(const kb_intake *intake); /* readings and events so far */
/* An object has readings in more than one session. */
bool kb_intake_shared(const kb_intake *intake);
/* None has, although there are several sessions that have readings. */
bool kb_intake_apart(const kb_intake *intake);

#endif
