package jobs

// The kinds of tasks. They are stored in Redis and in job_runs: a renamed kind
// would strand the tasks that wait under the old name.
const (
	KindTurn     = "turn"    // payload: a person with messages to answer
	KindDeliver  = "deliver" // payload: a person with messages to be sent
	KindNudges   = "nudges"  // payload of this and the following: the slot
	KindDigests  = "digests"
	KindROI      = "roi"
	KindRollup   = "rollup"
	KindRebuild  = "rebuild"
	KindVersions = "versions" // of campaigns, that begin to hold
	KindMature   = "mature"   // purchases that waited long enough for a yes
	KindBudgets  = "budgets"  // are announced at 80 and 100 percent
	KindBalances = "balances" // end
	KindDates    = "dates"    // on which balances end, where nobody has noted them
	KindExpire   = "expire"   // redemptions that nobody fetched
	KindWarnings = "warnings" // of balances that are about to end
	KindTiers    = "tiers"    // at the end of their periods
	KindSegments = "segments" // are made anew
	KindVerify   = "verify"   // a sample of the ledger
	KindQuotas   = "quotas"   // of periods that are over
	KindImports  = "imports"  // of catalogues, that somebody began
	KindTidy     = "tidy"
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
