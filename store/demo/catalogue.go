package demo

import (
	"context"
	"fmt"
	"time"

	"github.com/qoa-conectados/qoa/store"
	"github.com/qoa-conectados/qoa/store/loyalty"
)

// catalogue is what was made, as the history needs it.
type catalogue struct {
	products  []store.Product
	shops     []store.Shop
	tenderos  []loyalty.ID // one a shop, in the same order
	campaigns []store.Campaign
}

// seedCatalogue makes each thing a millisecond after the one before, so that
// lists, which are ordered by age, show them in the order of this package.
func seedCatalogue(ctx context.Context, first *store.Tx) (catalogue, error) {
	var c catalogue
	tx := first
	next := func() { tx = tx.Bulk().At(tx.Now().Add(time.Millisecond)) }
	admin := loyalty.System()
	cpgs := make([]loyalty.ID, len(companies))
	brands := map[string]loyalty.ID{}
	for i, company := range companies {
		next()
		cpg, err := tx.CreateCPG(ctx, admin, store.CPGInput{Name: company.name})
		if err != nil {
			return c, err
		}
		cpgs[i] = cpg.ID
		for _, name := range company.brands {
			next()
			brand, err := tx.CreateBrand(ctx, admin, store.BrandInput{CPG: cpg.ID, Name: name})
			if err != nil {
				return c, err
			}
			brands[name] = brand.ID
		}
	}
	for _, p := range products {
		next()
		made, err := tx.CreateProduct(ctx, admin, store.ProductInput{
			Brand: brands[p.brand], GTIN: p.gtin, Name: p.name, Nicknames: p.nicknames, ReferencePrice: p.price,
		})
		if err != nil {
			return c, err
		}
		c.products = append(c.products, made)
	}
	for i, s := range shops {
		next()
		in := store.ShopInput{Name: s.name, Kind: s.kind, Street: s.street, City: s.city, State: s.state}
		if i == 0 {
			in.Code = Shop1Code
		}
		made, err := tx.CreateShop(ctx, admin, in)
		if err != nil {
			return c, err
		}
		c.shops = append(c.shops, made)
		person, err := seedTendero(ctx, tx, made.ID, i, s.tendero)
		if err != nil {
			return c, err
		}
		c.tenderos = append(c.tenderos, person)
	}
	next()
	if err := seedLogins(ctx, tx, cpgs); err != nil {
		return c, err
	}
	var err error
	c.campaigns, err = seedCampaigns(ctx, tx, first.Now(), cpgs, c)
	return c, err
}

// seedTendero makes the tendero of a shop, who counts as having written before.
func seedTendero(ctx context.Context, tx *store.Tx, shop loyalty.ID, i int, name string) (loyalty.ID, error) {
	phone := fmt.Sprintf("+5255%08d", i+1)
	made, err := tx.CreateTendero(ctx, loyalty.System(), store.TenderoInput{Shop: shop, Phone: phone, Name: name})
	if err != nil {
		return "", err
	}
	return made.Person, tx.Bulk().Wrote(ctx, made.Person)
}

func seedLogins(ctx context.Context, tx *store.Tx, cpgs []loyalty.ID) error {
	admin := loyalty.System()
	for _, in := range []store.StaffInput{
		{Email: AdminEmail, Name: "Equipo Qoa", Role: loyalty.RoleAdmin},
		{Email: Brand1Email, Name: "Mariana Solís", Role: loyalty.RoleCPG, CPG: cpgs[0], Phone: Brand1Phone},
		{Email: Brand2Email, Name: "Rodrigo Peña", Role: loyalty.RoleCPG, CPG: cpgs[1], Phone: Brand2Phone},
	} {
		in.Password = Password
		made, err := tx.CreateStaff(ctx, admin, in)
		if err != nil {
			return err
		}
		if made.Person == nil {
			continue
		}
		if err := tx.SaveName(ctx, *made.Person, in.Name); err != nil {
			return err
		}
		if err := tx.Bulk().Wrote(ctx, *made.Person); err != nil {
			return err
		}
	}
	_, err := tx.ImportAPIKey(ctx, admin, "T-Conecta", DevKey)
	return err
}
