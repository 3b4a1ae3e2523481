package loyalty

import "slices"

// Role is what a caller is.
type Role string

// The roles.
const (
	RoleAdmin       Role = "admin"       // Qoa's own people
	RoleCPG         Role = "cpg"         // a brand team, of one CPG
	RoleTendero     Role = "tendero"     // a shopkeeper, of one or more shops
	RoleConsumer    Role = "consumer"    // a person with a card
	RoleIntegration Role = "integration" // an API key, such as T-Conecta's
	RoleSystem      Role = "system"      // our own jobs and the bot; never a caller from outside
)

// Scope says who is calling and so what may be seen and done. Every store
// method that reads or writes a tenant's data takes one (law 7).
type Scope struct {
	Role   Role
	CPG    ID   // of a cpg
	Person ID   // of a tendero or consumer
	Shops  []ID // of a tendero
	Key    ID   // of an integration
	Staff  ID   // of an admin or cpg
}

// System is the scope of our own jobs and of the bot.
func System() Scope { return Scope{Role: RoleSystem} }

// Actor names the caller without personal data, for causes and audit.
func (s Scope) Actor() string {
	switch {
	case s.Staff != "":
		return "staff:" + string(s.Staff)
	case s.Person != "":
		return "person:" + string(s.Person)
	case s.Key != "":
		return "key:" + string(s.Key)
	}
	return string(s.Role)
}

// All says whether the caller sees every tenant's data.
func (s Scope) All() bool { return s.Role == RoleAdmin || s.Role == RoleSystem }

// OwnsCPG says whether the caller may act for the CPG.
func (s Scope) OwnsCPG(cpg ID) bool { return s.All() || s.Role == RoleCPG && s.CPG == cpg }

// SellsAt says whether the caller may record sales of the shop.
func (s Scope) SellsAt(shop ID) bool {
	switch s.Role {
	case RoleAdmin, RoleSystem, RoleIntegration:
		return true
	case RoleTendero:
		return slices.Contains(s.Shops, shop)
	}
	return false
}

// Forbidden is what a caller gets who is known and may not.
func Forbidden() *Error {
	return Fail(KindForbidden, CodeForbidden, "Tu usuario no tiene permiso para hacer esto.")
}
