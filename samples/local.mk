# the sample corpus; samples/README says how it was made
EXTRA_DIST += \
  samples/README \
  samples/crashes/events.csv.gz \
  samples/crashes/metrics.csv.gz \
  samples/crashes/sessions.csv \
  samples/crashes/truth.csv
