# Events of the cart journey, the same in every run: awk -v n=20000 -f events.awk
# A minimal standard generator (Park and Miller, 1988), exact in the 53 bits of awk's numbers.
function lot(limit) { seed = (seed * 48271) % 2147483647; return seed % limit }
function two(x) { return (x < 10 ? "0" : "") x }
BEGIN {
  seed = 20260101
  users = n / 10
  for (i = 0; i < n; i++) {
    ms = int(i * 2592000 / n) * 1000 + lot(1000)
    s = int(ms / 1000); day = int(s / 86400)
    time = "2026-01-" two(day + 1) "T" two(int(s / 3600) % 24) ":" two(int(s / 60) % 60) ":" two(s % 60) "." substr("00" ms % 1000, length("00" ms % 1000) - 2) "Z"
    kind = lot(10)
    event = kind < 3 ? "cart_added" : kind < 5 ? "purchased" : kind < 9 ? "product_viewed" : "email_opened"
    properties = event == "cart_added" ? "\"cart_value\":" (5 + lot(146)) "." lot(10) ",\"items\":" (1 + lot(5)) : event == "purchased" ? "\"order_value\":" lot(200) : "\"page\":\"/p/" lot(1000) "\""
    print "{\"type\":\"track\",\"userId\":\"u" lot(users) "\",\"event\":\"" event "\",\"timestamp\":\"" time "\",\"properties\":{" properties "}}"
  }
}
