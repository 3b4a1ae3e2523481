package store

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/qoa-conectados/qoa/store/loyalty"
)

// shelf is what of the catalogue the rows of an import are held against.
type shelf struct {
	tx       *Tx
	scope    loyalty.Scope // whose import it is
	kind     ImportKind
	cpgs     map[string]CPG   // by the name as it is searched
	brands   map[string]Brand // by the company's ID and the name as it is searched
	brandsOf map[loyalty.ID]Brand
	products map[loyalty.GTIN]Product
	codes    map[string]Shop
	named    map[string][]Shop // by name, street and city as they are searched
	zones    map[string]bool
	stale    bool // a brand was made
}

func newShelf(tx *Tx, scope loyalty.Scope, kind ImportKind) *shelf {
	return &shelf{tx: tx, scope: scope, kind: kind, zones: map[string]bool{loyalty.DefaultTimeZone: true}}
}

// load looks up what rows are about.
func (s *shelf) load(ctx context.Context, rows []ImportRow) error {
	if s.kind == ImportShops {
		return s.loadShops(ctx, rows)
	}
	if s.cpgs == nil {
		if err := s.loadBrands(ctx); err != nil {
			return err
		}
	}
	gtins := make([]string, 0, len(rows))
	for _, r := range rows {
		if g, _, err := loyalty.RestoreGTIN(r.Cells[ColumnGTIN]); err == nil {
			gtins = append(gtins, string(g))
		}
	}
	found, err := collect[Product](ctx, s.tx, productFields+` WHERE gtin = ANY($1)`, gtins)
	s.products = map[loyalty.GTIN]Product{}
	for _, p := range found {
		s.products[p.GTIN] = p
	}
	return err
}

func (s *shelf) loadBrands(ctx context.Context) error {
	cpgs, err := collect[CPG](ctx, s.tx, cpgColumns, true, nil)
	if err != nil {
		return err
	}
	brands, err := collect[Brand](ctx, s.tx, brandColumns, true, nil)
	s.cpgs, s.brands, s.brandsOf = map[string]CPG{}, map[string]Brand{}, map[loyalty.ID]Brand{}
	for _, v := range cpgs {
		s.cpgs[loyalty.SearchName(v.Name)] = v
	}
	for _, v := range brands {
		s.brands[brandKey(v.CPG, v.Name)], s.brandsOf[v.ID] = v, v
	}
	return err
}

// reload looks up again what an applied row made that others may be about.
func (s *shelf) reload(ctx context.Context) error {
	if !s.stale {
		return nil
	}
	s.stale = false
	return s.loadBrands(ctx)
}

func brandKey(cpg loyalty.ID, name string) string {
	return string(cpg) + " " + loyalty.SearchName(name)
}

func shopKey(name, street, city string) string {
	return loyalty.SearchName(name) + "/" + loyalty.SearchName(street) + "/" + loyalty.SearchName(city)
}

func (s *shelf) loadShops(ctx context.Context, rows []ImportRow) error {
	var codes, names []string
	for _, r := range rows {
		if code, kind := loyalty.ParseCode(r.Cells[ColumnCode]); kind == loyalty.ShopCode {
			codes = append(codes, code)
		} else {
			names = append(names, loyalty.SearchName(r.Cells[ColumnName]))
		}
	}
	found, err := collect[Shop](ctx, s.tx, shopFields+` WHERE code = ANY($1) OR search_name = ANY($2) ORDER BY id`, nonNil(codes), nonNil(names))
	s.codes, s.named = map[string]Shop{}, map[string][]Shop{}
	for _, v := range found {
		key := shopKey(v.Name, v.Street, v.City)
		s.codes[v.Code], s.named[key] = v, append(s.named[key], v)
	}
	return err
}

// plan says what a row would do, and does it where do is called; nil: nothing. key
// names what the row is about, "" where that is not clear.
func (s *shelf) plan(ctx context.Context, r *ImportRow) (key string, do func(context.Context, *Tx) error, err error) {
	if s.kind == ImportShops {
		return s.planShop(ctx, r)
	}
	key, do = s.planProduct(r)
	return key, do, nil
}

func (s *shelf) planProduct(r *ImportRow) (string, func(context.Context, *Tx) error) {
	gtin, restored, err := loyalty.RestoreGTIN(r.Cells[ColumnGTIN])
	if err != nil {
		r.fail(ColumnGTIN, reasonOf(err))
	}
	is, there := s.products[gtin]
	active := r.flag(is.Active || !there)
	price, ok := CellCents(r.Cells[ColumnPrice])
	if !ok || price > int64(loyalty.MaxPrice) {
		r.fail(ColumnPrice, "no es un precio en pesos, como 18.50")
	}
	cpg, known := s.cpgs[loyalty.SearchName(r.Cells[ColumnCPG])]
	switch {
	case r.Cells[ColumnCPG] == "" && !there:
		r.fail(ColumnCPG, "falta la empresa")
	case r.Cells[ColumnCPG] == "":
	case !known:
		r.fail(ColumnCPG, "no hay una empresa «"+r.Cells[ColumnCPG]+"»; créala primero")
	case there && cpg.ID != is.CPG:
		r.fail(ColumnCPG, "ese código de barras ya es de otra empresa")
	}
	brandName := r.Cells[ColumnBrand]
	brand, branded := s.brands[brandKey(cpg.ID, brandName)]
	if there {
		brand = s.brandsOf[is.Brand]
	}
	switch {
	case brandName == "" && !there:
		r.fail(ColumnBrand, "falta la marca")
	case there && brandName != "" && loyalty.SearchName(brandName) != loyalty.SearchName(brand.Name):
		r.fail(ColumnBrand, "ya está con la marca «"+brand.Name+"»; la marca de un producto no cambia")
	case !there && branded && !brand.Active:
		r.fail(ColumnBrand, "la marca está desactivada")
	case !there && known && !cpg.Active:
		r.fail(ColumnCPG, "la empresa está desactivada")
	case !there && known && !branded && loyalty.SearchName(brandName) == "":
		r.fail(ColumnBrand, "debe llevar letras o números")
	}
	v := is
	v.GTIN, v.Active = gtin, active
	if text := r.Cells[ColumnName]; text != "" || !there {
		v.Name = text
	}
	if r.Cells[ColumnPrice] != "" {
		v.ReferencePrice = loyalty.Cents(price)
	}
	if text := r.Cells[ColumnNicknames]; text != "" {
		v.Nicknames = nil
		for _, n := range strings.FieldsFunc(text, func(c rune) bool { return strings.ContainsRune("|;,\n", c) }) {
			v.Nicknames = append(v.Nicknames, strings.TrimSpace(n))
		}
	}
	var c check
	if v.checkTexts(&c); c.err() != nil {
		r.explain(c.err())
	}
	key := ""
	if gtin != "" {
		key = "gtin " + string(gtin)
	}
	if r.Plan == RowWrong {
		return key, nil
	}
	if restored {
		r.note("Código de barras completo: " + string(gtin))
	}
	if !there {
		r.Plan = RowNew
		if !branded {
			r.note("Marca nueva: " + brandName)
		}
		return key, func(ctx context.Context, tx *Tx) error {
			if !branded {
				made, err := tx.CreateBrand(ctx, s.scope, BrandInput{CPG: cpg.ID, Name: brandName})
				if err != nil {
					return err
				}
				brand, s.stale = made, true
			}
			made, err := tx.CreateProduct(ctx, s.scope, ProductInput{Brand: brand.ID, GTIN: string(gtin), Name: v.Name, Nicknames: v.Nicknames, ReferencePrice: v.ReferencePrice})
			if err != nil || active {
				return err
			}
			_, err = tx.UpdateProduct(ctx, s.scope, made.ID, ProductPatch{Active: &active})
			return err
		}
	}
	r.differ("Producto", is.Name, v.Name)
	r.differ("Precio", is.ReferencePrice.String(), v.ReferencePrice.String())
	r.differ("Apodos", strings.Join(is.Nicknames, ", "), strings.Join(v.Nicknames, ", "))
	r.differ("Activo", yesNo(is.Active), yesNo(v.Active))
	if r.Plan == "" {
		r.Plan = RowSame
		return key, nil
	}
	return key, func(ctx context.Context, tx *Tx) error {
		_, err := tx.UpdateProduct(ctx, s.scope, is.ID, ProductPatch{Name: &v.Name, Nicknames: &v.Nicknames, ReferencePrice: &v.ReferencePrice, Active: &v.Active})
		return err
	}
}

func (s *shelf) planShop(ctx context.Context, r *ImportRow) (string, func(context.Context, *Tx) error, error) {
	get := func(column string) string { return r.Cells[column] }
	code, kind := loyalty.ParseCode(get(ColumnCode))
	var is Shop
	there := false
	key := ""
	switch same := s.named[shopKey(get(ColumnName), get(ColumnStreet), get(ColumnCity))]; {
	case get(ColumnCode) != "" && kind != loyalty.ShopCode:
		r.fail(ColumnCode, "no es un código de tienda: son 6 símbolos, el último de verificación")
	case kind == loyalty.ShopCode:
		key = "code " + code
		is, there = s.codes[code]
	case len(same) > 1:
		r.fail(ColumnCode, "hay "+strconv.Itoa(len(same))+" tiendas con ese nombre, calle y ciudad; pon el código")
	default:
		key = shopKey(get(ColumnName), get(ColumnStreet), get(ColumnCity))
		if there = len(same) == 1; there {
			is = same[0]
		}
	}
	if there {
		key = "code " + is.Code // also of a row that names it otherwise
	}
	v := is
	if !there {
		v = Shop{Code: code, Kind: "tiendita", TimeZone: loyalty.DefaultTimeZone, Active: true}
	}
	for column, to := range map[string]*string{ColumnName: &v.Name, ColumnStreet: &v.Street, ColumnCity: &v.City, ColumnState: &v.State, ColumnTimeZone: &v.TimeZone} {
		if text := get(column); text != "" {
			*to = text
		}
	}
	if text := get(ColumnKind); text != "" {
		if v.Kind = shopKinds[loyalty.SearchName(text)]; v.Kind == "" {
			r.fail(ColumnKind, "debe ser tiendita, minisúper o cadena")
			v.Kind = "tiendita"
		}
	}
	v.Active = r.flag(v.Active)
	var c check
	v.checkTexts(&c)
	if _, asked := s.zones[v.TimeZone]; !asked {
		var z check
		if err := z.zone(ctx, s.tx, ColumnTimeZone, v.TimeZone); err != nil {
			return "", nil, err
		}
		s.zones[v.TimeZone] = z.err() == nil
	}
	c.want(s.zones[v.TimeZone], ColumnTimeZone, "no es una zona horaria; por ejemplo America/Mexico_City")
	if err := c.err(); err != nil {
		r.explain(err)
	}
	switch {
	case r.Plan == RowWrong:
		return key, nil, nil
	case !there:
		r.Plan = RowNew
		return key, func(ctx context.Context, tx *Tx) error {
			made, err := tx.CreateShop(ctx, s.scope, ShopInput{Code: v.Code, Name: v.Name, Kind: v.Kind, Street: v.Street, City: v.City, State: v.State, TimeZone: v.TimeZone})
			if err != nil || v.Active {
				return err
			}
			_, err = tx.UpdateShop(ctx, s.scope, made.ID, ShopPatch{Active: &v.Active})
			return err
		}, nil
	}
	r.differ("Nombre", is.Name, v.Name)
	r.differ("Calle", is.Street, v.Street)
	r.differ("Ciudad", is.City, v.City)
	r.differ("Estado", is.State, v.State)
	r.differ("Tipo", is.Kind, v.Kind)
	r.differ("Zona horaria", is.TimeZone, v.TimeZone)
	r.differ("Activa", yesNo(is.Active), yesNo(v.Active))
	if r.Plan == "" {
		r.Plan = RowSame
		return key, nil, nil
	}
	return key, func(ctx context.Context, tx *Tx) error {
		_, err := tx.UpdateShop(ctx, s.scope, is.ID, ShopPatch{
			Name: &v.Name, Kind: &v.Kind, Street: &v.Street, City: &v.City, State: &v.State, TimeZone: &v.TimeZone, Active: &v.Active,
		})
		return err
	}, nil
}

// shopKinds are the kinds of shops as people write them, as they are searched.
var shopKinds = map[string]string{
	"tiendita": "tiendita", "tienda": "tiendita", "abarrotes": "tiendita", "miscelanea": "tiendita",
	"minisuper": "minisuper", "mini super": "minisuper", "cadena": "chain", "chain": "chain",
}

// flag reads a yes or a no, now where none is written.
func (r *ImportRow) flag(now bool) bool {
	switch loyalty.SearchName(r.Cells[ColumnActive]) {
	case "":
		return now
	case "si", "s", "1", "x", "true", "verdadero", "activo", "activa", "yes":
		return true
	case "no", "n", "0", "false", "falso", "inactivo", "inactiva", "desactivado", "desactivada":
		return false
	}
	r.fail(ColumnActive, "debe ser sí o no")
	return now
}

func (r *ImportRow) note(text string) { r.Notes = append(r.Notes, text) }

// differ notes what would change.
func (r *ImportRow) differ(name, was, is string) {
	if was == is {
		return
	}
	r.Plan = RowChanged
	if was == "" {
		was = "—"
	}
	r.note(name + ": " + was + " → " + is)
}

func yesNo(v bool) string {
	if v {
		return "sí"
	}
	return "no"
}

func reasonOf(err error) string {
	if wrong := fieldsOf(err); len(wrong) > 0 {
		return wrong[0].Reason
	}
	return "no se entiende"
}

// CellCents reads pesos as a spreadsheet may write them: "18.5", "$1,234.50",
// "1.234,50", "18,499999999999996". Nothing is 0.
func CellCents(text string) (int64, bool) {
	text = strings.NewReplacer("$", "", " ", "", "\u00a0", "", "MXN", "").Replace(text)
	if text == "" {
		return 0, true
	}
	comma, point := strings.LastIndexByte(text, ','), strings.LastIndexByte(text, '.')
	switch {
	case comma > point && (point >= 0 || len(text)-comma-1 != 3): // a decimal comma
		text = strings.ReplaceAll(strings.ReplaceAll(text, ".", ""), ",", ".")
	default:
		text = strings.ReplaceAll(text, ",", "")
	}
	whole, part, _ := strings.Cut(text, ".")
	if strings.Trim(whole+part, "0123456789") != "" || whole+part == "" || len(whole) > 9 {
		return 0, false
	}
	up := int64(0)
	if len(part) > 2 { // what a binary number makes of two decimals
		rest := part[2:]
		if len(rest) < 6 && strings.Trim(rest, "0") != "" {
			return 0, false
		}
		if strings.HasPrefix(rest, "99999") {
			up = 1
		} else if !strings.HasPrefix(rest, "00000") && strings.Trim(rest, "0") != "" {
			return 0, false
		}
		part = part[:2]
	}
	cents, err := strconv.ParseInt("0"+whole+(part + "00")[:2], 10, 64)
	return cents + up, err == nil
}

// Columns are the columns of a kind of import, in the order of its template.
func (k ImportKind) Columns() []string {
	if k == ImportShops {
		return []string{ColumnCode, ColumnName, ColumnStreet, ColumnCity, ColumnState, ColumnKind, ColumnTimeZone, ColumnActive}
	}
	return []string{ColumnCPG, ColumnBrand, ColumnGTIN, ColumnName, ColumnPrice, ColumnNicknames, ColumnActive}
}

// Needs says whether a file must have a column.
func (k ImportKind) Needs(column string) bool {
	if k == ImportShops {
		return slices.Contains([]string{ColumnName, ColumnCity, ColumnState}, column)
	}
	return slices.Contains([]string{ColumnCPG, ColumnBrand, ColumnGTIN, ColumnName}, column)
}
