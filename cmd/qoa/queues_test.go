package main

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/qoa-conectados/qoa/api"
	"github.com/qoa-conectados/qoa/jobs"
)

// TestEveryJobHasWords: the page of jobs names each that the schedule runs.
func TestEveryJobHasWords(t *testing.T) {
	assert.ElementsMatch(t, jobs.Scheduled(), api.ScheduledJobs())
}
