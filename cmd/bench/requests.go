package main

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strconv"
)

// purchases are the requests of the hot path: a random card buys 1 to 3 units,
// nine times in ten in its own shop. Each has a key of its own.
func (w *world) purchases(host string) request {
	head := "POST /v1/purchases HTTP/1.1\r\nHost: " + host + "\r\nAuthorization: Bearer " + w.key +
		"\r\nContent-Type: application/json\r\nIdempotency-Key: "
	return request{
		write: func(to *bytes.Buffer, r *rand.Rand) {
			n := r.IntN(cards)
			shop := w.shopOf(n)
			if r.IntN(10) == 0 {
				shop = r.IntN(shops)
			}
			body := append(make([]byte, 0, 192), `{"shop_code":"`...)
			body = append(body, w.shopCodes[shop]...)
			body = append(body, `","card_code":"`...)
			body = append(body, w.cardCodes[n]...)
			body = append(body, `","captured":"scan","items":[{"gtin":"`+gtin+`","unit_price_cents":`...)
			body = strconv.AppendInt(body, price, 10)
			body = append(body, `,"quantity":`...)
			body = strconv.AppendInt(body, 1+r.Int64N(mostUnits), 10)
			body = append(body, "}]}"...)
			to.WriteString(head)
			fmt.Fprintf(to, "bench-%016x%016x\r\nContent-Length: %d\r\n\r\n", r.Uint64(), r.Uint64(), len(body))
			to.Write(body)
		},
		check: func(status int, body []byte) error {
			// Each earning says once whether a reward is ready.
			if earned := bytes.Count(body, []byte(`"reward_ready"`)); status != http.StatusCreated || earned != campaigns {
				return fmt.Errorf("a purchase was answered with %d and %d earnings, not 201 and %d: %s", status, earned, campaigns, body)
			}
			return nil
		},
	}
}

// pages are views of consumers' own card pages: of those that list as many
// purchases whatever the history.
func (w *world) pages(host string) request {
	return w.views(host, func(r *rand.Rand) int { return viewedCard(r.IntN(viewed)) }, func(body []byte) bool {
		return bytes.Count(body, []byte(`<li><div><b>`)) == listed
	})
}

// anyPages are views of all consumers' pages, as long as they are.
func (w *world) anyPages(host string) request {
	return w.views(host, func(r *rand.Rand) int { return r.IntN(cards) }, func([]byte) bool { return true })
}

func (w *world) views(host string, card func(*rand.Rand) int, right func([]byte) bool) request {
	return request{
		write: func(to *bytes.Buffer, r *rand.Rand) {
			to.WriteString("GET ")
			to.WriteString(w.pagePaths[card(r)])
			to.WriteString(" HTTP/1.1\r\nHost: " + host + "\r\n\r\n")
		},
		check: func(status int, body []byte) error {
			if status != http.StatusOK || !bytes.Contains(body, []byte(campaignNames[0])) || !right(body) {
				return fmt.Errorf("a card page was answered with %d, or without its campaigns and purchases: %.300s", status, body)
			}
			return nil
		},
	}
}
