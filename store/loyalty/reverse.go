package loyalty

import "maps"

// Basis is what a purchase was judged on in one campaign, as far as its rules
// look at it. It is kept with the purchase, so that what a return leaves of it
// can be judged by the same: what happened since makes no difference.
type Basis struct {
	Version  int              `json:"v"`
	First    bool             `json:"first,omitempty"`    // the first purchase, in a campaign that has a boost for it
	Birthday bool             `json:"birthday,omitempty"` // the consumer's, likewise
	Tier     string           `json:"tier,omitempty"`
	Out      []ID             `json:"out,omitempty"` // products that exclusive campaigns kept out
	Counters Counters         `json:"counters,omitempty"`
	Left     map[string]int64 `json:"left,omitempty"` // of the budget, by unit
}

// NewBasis keeps what a candidate's judgement of a sale stood on. It must have
// earned.
func NewBasis(c *Candidate, sale *Sale, j *Judgement) Basis {
	t, m := &c.Campaign.Terms, moment{local: sale.At.In(sale.Zone)}
	b := Basis{Version: c.Campaign.Version, Out: j.Out, Tier: t.Tiers.At(c.Standing.Tier, sale.At, sale.Zone).Level}
	for i := range t.Boosts {
		w := &t.Boosts[i].When
		b.First = b.First || w.First && c.Standing.Purchases == 0
		b.Birthday = b.Birthday || w.Birthday && isBirthday(sale.Birthday, m.local)
	}
	// Two limits may share a counter's name only with its number.
	count := func(key string) { b.Counters = b.Counters.Plus(key, c.Standing.Counters.Of(key)-b.Counters.Of(key)) }
	for i := range t.Limits {
		// That limits of purchases let it pass is certain.
		if l := &t.Limits[i]; l.Counts == CountEarned && l.Period != EachPurchase {
			count(l.key(&m, sale.Shop))
		}
	}
	if t.countsVisits() {
		count(m.key(visitLimit, EachDay, sale.Shop))
	}
	for _, u := range t.Scheme.Units() {
		if left, bounded := c.Left[string(u)]; bounded {
			if b.Left == nil {
				b.Left = map[string]int64{}
			}
			b.Left[string(u)] = left
		}
	}
	return b
}

// judge judges lines of the sale again. Who and when was admitted then still is.
func (b *Basis) judge(c *Campaign, sale *Sale, lines []Line) (evaluation, Judgement) {
	again := &Sale{At: sale.At, Zone: sale.Zone, Shop: sale.Shop, Lines: lines}
	m := moment{local: sale.At.In(sale.Zone)}
	candidate := Candidate{Campaign: c, Standing: Standing{Counters: b.Counters}, Left: b.Left}
	if !b.First {
		candidate.Standing.Purchases = 1
	}
	if b.Birthday {
		again.Birthday = m.local.Format("01-02")
	}
	e := evaluation{Candidate: &candidate, sale: again, moment: &m, out: b.Out, tier: b.Tier}
	var j Judgement
	if !e.concerned() {
		return e, j
	}
	e.bound()
	if e.refused() == "" {
		e.give(&j)
	}
	return e, j
}

// Return is what a reversal takes back in one campaign.
type Return struct {
	Campaign *Campaign
	Stamps   int64
	Points   int64
	// Gone: nothing stands any more, so the purchase no longer counts.
	Gone bool
	// Counters go down by these numbers; by a negative one up, where what is left
	// of the purchase now fills a limit that other lines had filled.
	Counters map[string]int64
	Progress Progress // of tiers
	Quotas   []Take   // to be given back
}

// Amount of a unit.
func (r *Return) Amount(u Unit) int64 {
	if u == Stamp {
		return r.Stamps
	}
	return r.Points
}

// TakeBack finds what a reversal of some or all lines takes back. The campaigns
// are in the versions that judged the purchase, and bases are what they judged
// it on. Given is what of the purchase stands by the ledger, and the sale has
// the lines that stand: those of the purchase less earlier reversals. Remaining
// are the lines that this reversal leaves.
//
// Never more is taken than stands, and with no line remaining all of it is: any
// sequence of reversals that leaves nothing takes exactly what was given. A
// campaign in which nothing stands has no Return.
func TakeBack(campaigns []*Campaign, bases map[ID]Basis, given map[ID]map[Unit]int64, sale *Sale, remaining []Line) []Return {
	var returns []Return
	for _, c := range campaigns {
		b, judged := bases[c.ID]
		if stands := given[c.ID]; judged && (stands[Stamp] > 0 || stands[Point] > 0) {
			returns = append(returns, b.takeBack(c, stands, sale, remaining))
		}
	}
	return returns
}

func (b *Basis) takeBack(c *Campaign, stands map[Unit]int64, sale *Sale, remaining []Line) Return {
	before, _ := b.judge(c, sale, sale.Lines)
	after, keeps := b.judge(c, sale, remaining)
	back := func(u Unit) int64 { return max(stands[u]-keeps.Amount(u), 0) }
	r := Return{Campaign: c, Stamps: back(Stamp), Points: back(Point)}
	r.Gone = r.Stamps >= stands[Stamp] && r.Points >= stands[Point]

	r.Counters = maps.Collect(before.counted())
	if !r.Gone {
		for key, n := range after.counted() {
			r.Counters[key] -= n
		}
	}
	maps.DeleteFunc(r.Counters, func(_ string, n int64) bool { return n == 0 })
	if c.Tiers != nil {
		r.Progress = before.progress(&Judgement{Stamps: r.Stamps, Points: r.Points})
		if !r.Gone {
			r.Progress.Purchases = 0
			r.Progress.Spend -= after.spent
		}
	}
	for _, t := range before.takes(&Judgement{Stamps: r.Stamps, Points: r.Points}) {
		if r.Gone || t.Name == QuotaStamps || t.Name == QuotaPoints {
			r.Quotas = append(r.Quotas, t)
		}
	}
	return r
}

// Without is the standing after a reversal of the sale took something back. The
// tiers are those in force now; where the version that judged had none, nothing
// is taken from them.
func (s Standing) Without(r *Return, tiers *Tiers, sale *Sale) Standing {
	if r.Gone {
		s.Purchases = max(s.Purchases-1, 0)
	}
	for key, n := range r.Counters {
		s.Counters = s.Counters.Plus(key, -n)
	}
	if r.Campaign.Tiers != nil {
		s.Tier = tiers.Remove(s.Tier, r.Progress, sale.At, sale.Zone)
	}
	return s
}
