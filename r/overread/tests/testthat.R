library(testthat)
library(overread)

test_check("overread")
