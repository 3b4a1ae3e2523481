package main

import (
	"bufio"
	"encoding/json"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/qoa-conectados/qoa/store/loyalty"
)

func TestReadAnswer(t *testing.T) {
	in := bufio.NewReader(strings.NewReader(
		"HTTP/1.1 201 Created\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nfirst" +
			"HTTP/1.1 404 Not Found\r\ncontent-length:  6 \r\n\r\nsecond" +
			"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"))
	status, body, err := readAnswer(in, nil)
	require.NoError(t, err)
	require.Equal(t, 201, status)
	require.Equal(t, "first", string(body))
	status, body, err = readAnswer(in, body)
	require.NoError(t, err)
	require.Equal(t, 404, status)
	require.Equal(t, "second", string(body))
	_, _, err = readAnswer(in, body)
	require.ErrorContains(t, err, "how long")
}

func TestQuantilesAreOfTheSortedLatencies(t *testing.T) {
	var took latencies
	for n := range 100 {
		took = append(took, uint32(100_000-1000*n)) // 100 ms down to 1 ms
	}
	f := newFigures(16, took, 2*time.Second)
	require.InDelta(t, 50, f.Rate, .001)
	require.InDelta(t, 51, f.P50, .001)
	require.InDelta(t, 96, f.P95, .001)
	require.InDelta(t, 100, f.P99, .001)
}

func TestMediansAreTakenFigureByFigure(t *testing.T) {
	f := medians([]figures{{Clients: 4, Rate: 3, P99: 10}, {Clients: 4, Rate: 1, P99: 30}, {Clients: 4, Rate: 2, P99: 20}})
	require.Equal(t, figures{Clients: 4, Rate: 2, P99: 20}, f)
}

func TestFloors(t *testing.T) {
	for name, c := range map[string]struct {
		floor floor
		pass  bool
	}{
		"enough":          {atLeast(.6, .6, "rate"), true},
		"too little":      {atLeast(.59, .6, "rate"), false},
		"as many":         {atMost(2, 2, "trips"), true},
		"too many":        {atMost(2.1, 2, "trips"), false},
		"under the bound": {below(3.9, 4, "tail"), true},
		"the bound":       {below(4, 4, "tail"), false},
	} {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, c.pass, c.floor.Pass)
			require.Equal(t, c.pass, passed([]floor{c.floor}) == nil)
		})
	}
}

func TestProductsHaveValidBarcodes(t *testing.T) {
	for _, code := range []string{gtin, withCheckDigit("750999000001"), withCheckDigit("750999000019")} {
		_, err := loyalty.ParseGTIN(code)
		require.NoError(t, err, code)
	}
}

func TestProcessorTimeGrowsWithWork(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("/proc is Linux's")
	}
	before := cpuOf(os.Getpid())
	for began := time.Now(); time.Since(began) < 100*time.Millisecond; { //nolint:revive // the work is the point
	}
	require.Greater(t, cpuOf(os.Getpid()), before)
	self, err := readStat(os.Getpid())
	require.NoError(t, err)
	require.Equal(t, os.Getppid(), self.parent)
}

func TestViewedCardsHaveAFullPageInEveryHistory(t *testing.T) {
	for _, purchases := range []int{viewed * listed, 3333, 100_000} {
		h := history{world: &world{fullPages: viewed * listed}}
		bought := map[int]int{}
		for k := range purchases {
			bought[h.cardOf(k, purchases)]++
		}
		shopped := map[int]bool{}
		for i := range viewed {
			require.GreaterOrEqual(t, bought[viewedCard(i)], listed, purchases)
			shopped[h.shopOf(viewedCard(i))] = true
		}
		require.Len(t, shopped, shops)
		if purchases > cards {
			require.Greater(t, len(bought), cards*9/10, "the others take their turns")
		}
	}
	h := history{world: new(world)}
	bought := map[int]int{}
	for k := range cards {
		bought[h.cardOf(k, cards)]++
	}
	require.Len(t, bought, cards, "each once, where no page is viewed")
}

func TestLighthousesReportIsRead(t *testing.T) {
	var r lhr
	require.NoError(t, json.Unmarshal([]byte(`{"categories": {"performance": {"score": 0.97}, "accessibility": {"score": 1}, "best-practices": {"score": null}},
		"audits": {"total-blocking-time": {"numericValue": 45.5}}}`), &r))
	require.Equal(t, scores{Performance: 97, Accessibility: 100, TBT: 45.5}, r.scores())
	require.NoError(t, json.Unmarshal([]byte(`[{"resourceType": "Document", "transferSize": 900}, {"resourceType": "Stylesheet", "transferSize": 50},
		{"resourceType": "Script", "transferSize": 0}, {"resourceType": "Manifest", "transferSize": 7}]`), &r.requests))
	require.Equal(t, visit{Requests: 3, Bytes: map[string]int{"document": 900, "style": 50, "other": 7}}, r.visit(), "what the browser had is not asked for")
	require.Equal(t, scores{Performance: 2, CLS: .1}, medianScores([]scores{{Performance: 1, CLS: .2}, {Performance: 3}, {Performance: 2, CLS: .1}}))
}
