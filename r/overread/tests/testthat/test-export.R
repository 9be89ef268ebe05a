columns <- export_columns$outcomes
line <- '"d1","loan-approval","approve","decline","false","human","2026-11-22T21:07:44.120Z"'

test_that("CSV and JSON Lines give the same typed rows", {
  csv <- tempfile(fileext = ".csv")
  writeLines(c(paste(names(columns), collapse = ","), line, ",,,,,,"), csv)
  jsonl <- tempfile(fileext = ".jsonl")
  writeLines(c(
    paste0('{"decision":"d1","use_case":"loan-approval","label":"approve","decided_label":"decline",',
           '"correct":false,"source":"human","learnt_at":"2026-11-22T21:07:44.120Z"}'), '{"label":null}'
  ), jsonl)
  read <- read_export(csv, "outcomes")
  expect_identical(read, read_export(jsonl, "outcomes"))
  expect_identical(read$correct, c(FALSE, NA))
  expect_equal(as.numeric(read$learnt_at[1]), 1795381664.12, tolerance = 1e-12)
  expect_true(all(is.na(read[2, ])))
})

test_that("a folder of days is read whole or in part, in order", {
  root <- file.path(tempfile(), "tables")
  for (day in c("2026-11-23", "2026-11-22")) {
    dir.create(file.path(root, "outcomes", paste0("dt=", day)), recursive = TRUE)
    writeLines(sprintf('{"decision":"%s"}', day), file.path(root, "outcomes", paste0("dt=", day), "x.jsonl"))
  }
  expect_identical(read_export(root, "outcomes")$decision, c("2026-11-22", "2026-11-23"))
  expect_identical(read_export(root, "outcomes", from = "2026-11-23")$dt, as.Date("2026-11-23"))
  expect_identical(nrow(read_export(root, "outcomes", to = as.Date("2026-11-21"))), 0L)
})

test_that("foreign columns and wrong values are told with file and row", {
  file <- tempfile(fileext = ".csv")
  writeLines(c("decision,income", "d1,4"), file)
  expect_error(read_export(file, "outcomes"), "columns that the table lacks: income")
  writeLines(c("decision,correct", "d1,true", "d2,perhaps"), file)
  expect_error(read_export(file, "outcomes"), "correct must be a boolean, row 2 has 'perhaps'")
})
