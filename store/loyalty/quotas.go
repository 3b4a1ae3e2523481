package loyalty

import "strings"

// SharedLimits names the quotas of the limits that count all cards, as a sale
// looks at them.
func (t *Terms) SharedLimits(sale *Sale) []string {
	var names []string
	var m moment
	for i := range t.Limits {
		if l := &t.Limits[i]; l.AllCards {
			if names == nil {
				m.local = sale.At.In(sale.Zone)
			}
			names = append(names, l.key(&m, sale.Shop))
		}
	}
	return names
}

// SharedLimit is the bound of such a quota; 0 for another name.
func (t *Terms) SharedLimit(name string) int64 {
	id, _, _ := strings.Cut(name, ":")
	for i := range t.Limits {
		if l := &t.Limits[i]; l.AllCards && l.ID == id {
			return l.Max
		}
	}
	return 0
}
