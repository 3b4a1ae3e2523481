package jobs

// The kinds of tasks. They are stored in Redis and in job_runs: a renamed kind
// would strand the tasks that wait under the old name.
const (
	KindTurn    = "turn"    // payload: a person with messages to answer
	KindDeliver = "deliver" // payload: a person with messages to be sent
	KindNudges  = "nudges"  // payload of this and the following: the slot
	KindDigests = "digests"
	KindROI     = "roi"
	KindRollup  = "rollup"
	KindRebuild = "rebuild"
	KindExpire  = "expire"
	KindTidy    = "tidy"
)

// The queues and their weights: who writes is answered before anything that
// nobody waits for.
const (
	queueTalk    = "talk"    // turns and what they and purchases have to say
	queueNotices = "notices" // what jobs send by the thousands, and what the sweep found
	queueTime    = "time"    // the jobs themselves
)

func queueWeights() map[string]int {
	return map[string]int{queueTalk: 8, queueNotices: 2, queueTime: 1}
}
