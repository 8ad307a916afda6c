# the sample corpus
