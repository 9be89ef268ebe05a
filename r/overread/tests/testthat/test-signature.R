vectors <- jsonlite::fromJSON(test_path("sigv4_vectors.json"), simplifyVector = FALSE)

test_that("there are vectors with and without body, query, token and odd characters", {
  expect_gte(length(vectors), 8)
})

for (vector in vectors) {
  test_that(paste("botocore's signature:", vector$name), {
    signed <- sign_request(
      vector$method, vector$url, headers = unlist(vector$headers), body = vector$body,
      credentials = vector$credentials, region = vector$region, service = vector$service,
      now = as.POSIXct(vector$now, format = "%Y-%m-%dT%H:%M:%SZ", tz = "UTC")
    )
    expect_identical(signed[["Authorization"]], vector$authorization)
  })
}

test_that("another body, secret or time is another signature", {
  sign <- function(body = "a", secret = "s", now = as.POSIXct(0, origin = "1970-01-01")) {
    sign_request("POST", "https://h/p", body = body, credentials = list(key_id = "k", secret = secret),
                 region = "eu-west-1", now = now)[["Authorization"]]
  }
  expect_length(unique(c(sign(), sign(body = "b"), sign(secret = "t"), sign(now = Sys.time()))), 4)
})

test_that("what is no address is refused with its value", {
  expect_error(sign_request("GET", "ftp://h", credentials = list(), region = "x"), "got 'ftp://h'")
})
