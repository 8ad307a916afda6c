# the manual
dist_man_MANS += man/kaboom.1 man/kaboom-corpus.5 man/kaboom-model.5
