package flows

import (
	"encoding/json"
	"strconv"
	"strings"

	"github.com/qoa-conectados/qoa/store/loyalty"
)

// Slots are the particulars of a message.
type Slots struct {
	ShopCode       string
	ShopName       string
	CardCode       string
	EvidenceCode   string
	RedemptionCode string
	// BadCode is what was meant as a code but does not check.
	BadCode string
	Items   []Item
}

// Item is a product that a message speaks of.
type Item struct {
	// GTIN and Product are set when the catalogue knows exactly one such product.
	GTIN    string
	Product string
	// Quantity is what was written, 1 when nothing was; Stated tells the two apart.
	Quantity int
	Stated   bool
	// Query is the product as it was written.
	Query string
	// Candidates are the GTINs of all products that it may be, when several.
	Candidates []string
}

func (s *Slots) setCode(code string, kind loyalty.CodeKind) {
	slot := map[loyalty.CodeKind]*string{
		loyalty.ShopCode: &s.ShopCode, loyalty.CardCode: &s.CardCode,
		loyalty.EvidenceCode: &s.EvidenceCode, loyalty.RedemptionCode: &s.RedemptionCode,
	}[kind]
	if *slot == "" { // the first one counts
		*slot = code
	}
}

func (s Slots) hasGoodCode() bool {
	return s.EvidenceCode != "" || s.CardCode != "" || s.RedemptionCode != "" || s.ShopCode != ""
}

// hasCode says whether there is a code that a tendero may send.
func (s Slots) hasCode() bool {
	return s.EvidenceCode != "" || s.CardCode != "" || s.RedemptionCode != "" || s.BadCode != ""
}

// vars writes the slots that are set as variables.
func (s Slots) vars() map[string]string {
	vars := map[string]string{}
	for name, value := range map[string]string{
		VarShopCode: s.ShopCode, VarShopName: s.ShopName, VarCardCode: s.CardCode,
		VarEvidenceCode: s.EvidenceCode, VarRedemptionCode: s.RedemptionCode, VarBadCode: s.BadCode,
	} {
		if value != "" {
			vars[name] = value
		}
	}
	if len(s.Items) > 0 {
		first := s.Items[0]
		vars[VarItems] = encodeItems(s.Items)
		vars[VarQuantity] = strconv.Itoa(first.Quantity)
		if first.GTIN != "" {
			vars[VarGTIN] = first.GTIN
			vars[VarProduct] = first.Product
		}
	}
	return vars
}

// encodeItems writes items as the value of the variable items.
func encodeItems(items []Item) string {
	rows := make([]Row, len(items))
	for i, it := range items {
		rows[i] = Row{
			"gtin": it.GTIN, "product": it.Product, "quantity": strconv.Itoa(it.Quantity),
			"query": it.Query, "candidates": strings.Join(it.Candidates, ","),
		}
		if it.Stated {
			rows[i]["stated"] = "yes"
		}
	}
	return EncodeList(rows)
}

// JSON writes the slots as `qoa understand` shows them.
func (s Slots) JSON() string {
	type item struct {
		GTIN     string `json:"gtin,omitempty"`
		Product  string `json:"product,omitempty"`
		Quantity int    `json:"quantity"`
	}
	out := struct {
		ShopCode       string `json:"shop_code,omitempty"`
		ShopName       string `json:"shop_name,omitempty"`
		CardCode       string `json:"card_code,omitempty"`
		EvidenceCode   string `json:"evidence_code,omitempty"`
		RedemptionCode string `json:"redemption_code,omitempty"`
		GTIN           string `json:"gtin,omitempty"`
		Product        string `json:"product,omitempty"`
		Quantity       *int   `json:"quantity,omitempty"`
		Items          []item `json:"items,omitempty"`
	}{
		ShopCode: s.ShopCode, ShopName: s.ShopName, CardCode: s.CardCode,
		EvidenceCode: s.EvidenceCode, RedemptionCode: s.RedemptionCode,
	}
	for i, it := range s.Items {
		name := it.Product
		if name == "" {
			name = it.Query
		}
		if i == 0 {
			out.GTIN, out.Product = it.GTIN, name
			if it.Stated {
				out.Quantity = &it.Quantity
			}
		}
		if len(s.Items) > 1 {
			out.Items = append(out.Items, item{it.GTIN, name, it.Quantity})
		}
	}
	b, err := json.Marshal(out)
	if err != nil { // strings and numbers always marshal
		return "{}"
	}
	return string(b)
}
