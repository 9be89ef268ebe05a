test_that("override rates count people's decisions that had a prediction", {
  decisions <- data.frame(
    use_case = c("a", "a", "a", "a", "b"), source = c("human", "human", "model", "human", "human"),
    overridden = c(TRUE, FALSE, NA, NA, FALSE)
  )
  rates <- override_rates(decisions)
  expect_identical(rates$use_case, c("a", "b"))
  expect_equal(rates$reviewed, c(2, 1))
  expect_equal(rates$rate, c(0.5, 0))
  expect_true(all(rates$low <= rates$rate & rates$rate <= rates$high))
  expect_identical(nrow(override_rates(decisions[0, ])), 0L)
})

test_that("Wilson's interval of 10 in 50 is the published one", {
  # prop.test without continuity correction is Wilson's interval.
  known <- stats::prop.test(10, 50, correct = FALSE)$conf.int
  expect_equal(unlist(wilson(10, 50), use.names = FALSE), as.numeric(known))
})

test_that("alpha equals Krippendorff's worked example", {
  # Krippendorff (2011), part B: two observers, ten units, binary: alpha = 0.095.
  a <- c(0, 1, 0, 0, 0, 0, 0, 0, 1, 0)
  b <- c(1, 1, 1, 0, 0, 1, 0, 0, 0, 0)
  found <- agreement(rep(1:10, 2), c(a, b))
  expect_equal(found$alpha, 0.095, tolerance = 5e-3)
  expect_equal(found$observed, 0.6)
  expect_identical(found$units, 10L)
})

test_that("single answers agree with nobody, one label alone has no alpha", {
  expect_identical(agreement(c("a", "b"), c("x", "y"))$alpha, NA_real_)
  same <- agreement(c("a", "a"), c("x", "x"))
  expect_identical(same[c("alpha", "observed")], list(alpha = NA_real_, observed = 1))
})

test_that("spot checks stand for the decisions that were not drawn", {
  decisions <- data.frame(
    source = c("human", "human", "human", "model"), label = "a",
    route_reasons = c("spot_check", "confidence_below_threshold,spot_check", "rule", NA),
    spot_check_probability = 0.05
  )
  expect_equal(review_weights(decisions), c(20, 1, 1, 0))
  decisions$spot_check_probability <- 0
  expect_error(review_weights(decisions), "must be in \\(0, 1\\]")
})

test_that("coverage and risk by hand, ties at once, weights counted", {
  # 0.9 right (weight 3), 0.8 wrong and right (1 each), 0.6 wrong (1): 6 in all.
  curve <- coverage_risk(c(0.8, 0.9, 0.8, 0.6, NA), c(FALSE, TRUE, TRUE, FALSE, TRUE), c(1, 3, 1, 1, 1))
  expect_equal(curve$threshold, c(0.9, 0.8, 0.6))
  expect_equal(curve$coverage, c(3, 5, 6) / 6)
  expect_equal(curve$risk, c(0, 1 / 5, 2 / 6))
  expect_equal(curve$cases, c(1, 3, 4))
  expect_error(coverage_risk(1.2, TRUE), "confidence must be in \\[0, 1\\], got 1.2")
  expect_error(coverage_risk(NA, TRUE), "at least one case")
})

test_that("calibration by hand", {
  bins <- calibration(c(1, 0.9, 0.52, 0.58), c(TRUE, FALSE, TRUE, TRUE))
  expect_equal(bins$low, c(0.5, 0.9))
  expect_equal(bins$cases, c(2, 2))
  expect_equal(bins$accuracy, c(1, 0.5))
  expect_equal(attr(bins, "ece"), (0.45 + 0.45) / 2)
})

test_that("plots are drawn and give their data back", {
  file <- tempfile(fileext = ".pdf")
  grDevices::pdf(file)
  curve <- coverage_risk(c(0.9, 0.8), c(TRUE, FALSE))
  expect_identical(plot_coverage_risk(curve, target = 0.1), curve)
  rates <- override_rates(data.frame(source = "human", overridden = c(TRUE, FALSE)), by = character())
  expect_identical(plot_override_rates(rates), rates)
  bins <- calibration(0.9, TRUE)
  expect_identical(plot_calibration(bins), bins)
  grDevices::dev.off()
  expect_gt(file.size(file), 1000)
})
