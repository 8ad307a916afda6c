# the sample corpus; samples/README says how it was made
EXTRA_DIST += \
  samples/README \
  samples/kaboom-nightly.service \
  samples/kaboom-nightly.timer \
  samples/kaboom-watch.service \
  samples/crashes/events.csv.gz \
  samples/crashes/metrics.csv.gz \
  samples/crashes/sessions.csv \
  samples/crashes/truth.csv
