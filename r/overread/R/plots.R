#' Plot coverage against risk
#'
#' @param curve From [coverage_risk()].
#' @param target Risk that is still accepted, as a line; NULL for none.
#' @param main Title.
#' @return `curve`, invisibly.
#' @export
#' @examples
#' plot_coverage_risk(coverage_risk(c(0.9, 0.8, 0.6), c(TRUE, TRUE, FALSE)), target = 0.1)
plot_coverage_risk <- function(curve, target = NULL, main = "Coverage against risk") {
  graphics::plot(
    curve$coverage, curve$risk, type = "s", lwd = 2, col = "#1b6ca8", xlim = c(0, 1),
    ylim = c(0, max(curve$risk, target, 0.01)), main = main, las = 1,
    xlab = "Share that the model would decide", ylab = "Wrong among them"
  )
  if (!is.null(target)) {
    graphics::abline(h = target, lty = 2, col = "#b3261e")
  }
  invisible(curve)
}

#' Plot override rates
#'
#' @param rates From [override_rates()].
#' @param main Title.
#' @return `rates`, invisibly.
#' @export
#' @examples
#' plot_override_rates(override_rates(data.frame(
#'   use_case = c("a", "a", "b"), source = "human", overridden = c(TRUE, FALSE, FALSE))))
plot_override_rates <- function(rates, main = "Decided otherwise than the model") {
  by <- setdiff(names(rates), c("reviewed", "overridden", "rate", "low", "high"))
  names <- if (length(by) == 0) "all" else do.call(paste, c(lapply(rates[by], as.character), sep = ", "))
  labels <- sprintf("%s (%d)", names, as.integer(rates$reviewed))
  margins <- graphics::par(mar = c(4.5, min(16, 2 + 0.55 * max(nchar(labels))), 3, 1))
  on.exit(graphics::par(margins))
  at <- rev(seq_along(labels))
  graphics::plot(
    rates$rate, at, pch = 19, col = "#1b6ca8", xlim = c(0, max(rates$high)), ylim = c(0.5, length(at) + 0.5),
    yaxt = "n", xlab = "Share of reviewed decisions", ylab = "", main = main
  )
  graphics::segments(rates$low, at, rates$high, at, lwd = 2, col = "#1b6ca8")
  graphics::axis(2, at = at, labels = labels, las = 1, tick = FALSE)
  invisible(rates)
}

#' Plot calibration
#'
#' @param bins From [calibration()].
#' @param main Title.
#' @return `bins`, invisibly.
#' @export
#' @examples
#' plot_calibration(calibration(c(0.95, 0.85, 0.55, 0.65), c(TRUE, TRUE, FALSE, TRUE)))
plot_calibration <- function(bins, main = "Calibration") {
  graphics::plot(
    bins$confidence, bins$accuracy, pch = 19, col = "#1b6ca8", xlim = c(0, 1), ylim = c(0, 1), las = 1,
    cex = 0.6 + 2 * sqrt(bins$cases / sum(bins$cases)), main = main,
    xlab = "Confidence that was stated", ylab = "Share that was right"
  )
  graphics::abline(0, 1, lty = 2, col = "#7a7a7a")
  invisible(bins)
}
