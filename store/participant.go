package store

import (
	"context"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/qoa-conectados/qoa/store/loyalty"
)

// ParticipantStatus is how a shop stands with a campaign that it was invited to,
// or that it joined by itself.
type ParticipantStatus string

// The statuses.
const (
	Invited  ParticipantStatus = "invited"
	Joined   ParticipantStatus = "joined"
	Declined ParticipantStatus = "declined"
	Left     ParticipantStatus = "left"
)

// Participant is a shop that was invited to a campaign, or joined it.
type Participant struct {
	Campaign  loyalty.ID        `db:"campaign_id"`
	Shop      loyalty.ID        `db:"shop_id"`
	ShopCode  string            `db:"shop_code"`
	ShopName  string            `db:"shop"`
	City      string            `db:"city"`
	Status    ParticipantStatus `db:"status"`
	CreatedAt time.Time         `db:"created_at"`
	UpdatedAt time.Time         `db:"updated_at"`
}

// Invitation is a campaign that a tendero's shop may join.
type Invitation struct {
	Campaign Campaign
	Shop     loyalty.ID
	Status   ParticipantStatus // invited; "" where the shop may join by itself
}

const participantFields = `
	SELECT p.campaign_id, p.shop_id, s.code AS shop_code, s.name AS shop, s.city, p.status, p.created_at, p.updated_at
	FROM campaign_participants p JOIN shops s ON s.id = p.shop_id JOIN campaigns c ON c.id = p.campaign_id`

// Participants lists the shops that were invited to a campaign or joined it, by
// their status where it is not "": all of them to who owns it, its own to a
// tendero.
func (tx *Tx) Participants(ctx context.Context, scope loyalty.Scope, campaign loyalty.ID, status ParticipantStatus, page Page) ([]Participant, loyalty.ID, error) {
	if err := ownersOnly(scope); err != nil {
		return nil, "", err
	}
	p, err := tx.placing(ctx, campaign)
	if err != nil {
		return nil, "", err
	}
	owned := owns(scope, &p.Campaign)
	if !owned && scope.Role == loyalty.RoleCPG {
		return nil, "", errNoCampaign()
	}
	return list(ctx, tx, page, func(v Participant) loyalty.ID { return v.Shop }, participantFields+`
		WHERE p.campaign_id = $1 AND ($2 OR p.shop_id = ANY($3)) AND ($4 = '' OR p.status = $4)
		AND p.shop_id > $5 ORDER BY p.shop_id LIMIT $6`, campaign, owned, nonNil(scope.Shops), clean(string(status)))
}

// InviteShop invites a shop that a campaign aims at (its owner, or an admin). Who
// was invited or joined already stays so. Errors: FORBIDDEN, CAMPAIGN_NOT_FOUND,
// VALIDATION_FAILED.
func (tx *Tx) InviteShop(ctx context.Context, scope loyalty.Scope, campaign, shop loyalty.ID) (Participant, error) {
	if err := ownersOnly(scope); err != nil {
		return Participant{}, err
	}
	tx.lockPlaces()
	p, err := tx.placing(ctx, campaign)
	if err != nil {
		return Participant{}, err
	}
	switch {
	case scope.Role == loyalty.RoleCPG && !owns(scope, &p.Campaign):
		return Participant{}, errNoCampaign()
	case !owns(scope, &p.Campaign):
		return Participant{}, loyalty.Forbidden()
	}
	if err := tx.aimed(ctx, p, shop); err != nil {
		return Participant{}, err
	}
	was, err := tx.participation(ctx, campaign, shop)
	if err != nil || was == Invited || was == Joined {
		return tx.participant(ctx, campaign, shop, err)
	}
	return tx.participate(ctx, scope, campaign, shop, Invited)
}

// AnswerInvitation accepts or declines what a shop was invited to (its tendero,
// or an admin). An invitation that was declined can still be accepted. Errors:
// FORBIDDEN, CAMPAIGN_NOT_FOUND where there is no invitation, CONFLICT.
func (tx *Tx) AnswerInvitation(ctx context.Context, scope loyalty.Scope, campaign, shop loyalty.ID, accept bool) (Participant, error) {
	to := Declined
	if accept {
		to = Joined
	}
	was, err := tx.shopsPart(ctx, scope, campaign, shop)
	switch {
	case err != nil || was == to:
		return tx.participant(ctx, campaign, shop, err)
	case was != Invited && was != Declined:
		return Participant{}, loyalty.NotFound(loyalty.CodeCampaignNotFound, "Esa tienda no tiene una invitación por contestar.")
	}
	return tx.participate(ctx, scope, campaign, shop, to)
}

// JoinCampaign lets a shop into a campaign that aims at it and that shops join by
// themselves (its tendero, or an admin). Errors: FORBIDDEN, CAMPAIGN_NOT_FOUND,
// CONFLICT, VALIDATION_FAILED.
func (tx *Tx) JoinCampaign(ctx context.Context, scope loyalty.Scope, campaign, shop loyalty.ID) (Participant, error) {
	was, err := tx.shopsPart(ctx, scope, campaign, shop)
	if err != nil || was == Joined {
		return tx.participant(ctx, campaign, shop, err)
	}
	p, err := tx.placing(ctx, campaign)
	if err != nil {
		return Participant{}, err
	}
	if p.Joining != loyalty.JoinBySelf {
		return Participant{}, loyalty.Fail(loyalty.KindConflict, loyalty.CodeConflict, "A esa campaña no se entra por cuenta propia.")
	}
	if err := tx.aimed(ctx, p, shop); err != nil {
		return Participant{}, err
	}
	return tx.participate(ctx, scope, campaign, shop, Joined)
}

// LeaveCampaign takes a shop out of a campaign that it joined (its tendero, or an
// admin). Errors: FORBIDDEN, CAMPAIGN_NOT_FOUND, CONFLICT where it did not join.
func (tx *Tx) LeaveCampaign(ctx context.Context, scope loyalty.Scope, campaign, shop loyalty.ID) (Participant, error) {
	was, err := tx.shopsPart(ctx, scope, campaign, shop)
	switch {
	case err != nil || was == Left:
		return tx.participant(ctx, campaign, shop, err)
	case was != Joined:
		return Participant{}, loyalty.Fail(loyalty.KindConflict, loyalty.CodeConflict, "La tienda no entró por su cuenta a esa campaña.")
	}
	return tx.participate(ctx, scope, campaign, shop, Left)
}

// CampaignsToJoin gives what a tendero's shops are invited to or may join by
// themselves, as the public may see it.
func (tx *Tx) CampaignsToJoin(ctx context.Context, scope loyalty.Scope) ([]Invitation, error) {
	if scope.Role != loyalty.RoleTendero {
		return nil, loyalty.Forbidden()
	}
	shops, err := collect[Shop](ctx, tx, shopFields+` WHERE id = ANY($1) AND active ORDER BY id`, nonNil(scope.Shops))
	if err != nil {
		return nil, err
	}
	open, err := tx.placings(ctx, `c.cpg_id IS NOT NULL AND c.status IN ('approved', 'active') AND (c.ends_at IS NULL OR c.ends_at > $1)
		AND c.terms->>'joining' <> ''`, tx.now)
	if err != nil {
		return nil, err
	}
	invited, err := collect[Participant](ctx, tx, participantFields+` WHERE p.shop_id = ANY($1) AND p.status = 'invited'`, nonNil(scope.Shops))
	if err != nil {
		return nil, err
	}
	var all []Invitation
	for _, p := range open {
		for _, s := range shops {
			i := Invitation{Shop: s.ID}
			if slices.ContainsFunc(invited, func(v Participant) bool { return v.Campaign == p.ID && v.Shop == s.ID }) {
				i.Status = Invited
			}
			if p.has(s.place()) || !p.mayJoin(s.place()) || i.Status == "" && p.Joining != loyalty.JoinBySelf {
				continue
			}
			if i.Campaign, err = tx.publicCampaign(ctx, p.ID); err != nil {
				return nil, err
			}
			all = append(all, i)
		}
	}
	return all, nil
}

// mayJoin says whether the campaign aims at a shop that its CPG has to do with.
func (p *placing) mayJoin(s loyalty.Place) bool { return p.Aims(s) && !slices.Contains(p.out, s.ID) }

// publicCampaign is a campaign without what only its owner may know.
func (tx *Tx) publicCampaign(ctx context.Context, id loyalty.ID) (Campaign, error) {
	rows, err := tx.tx.Query(ctx, campaignFields+` WHERE c.id = $1`, id)
	if err != nil {
		return Campaign{}, err
	}
	all, err := pgx.CollectRows(rows, scanCampaign)
	if err != nil || len(all) == 0 {
		return Campaign{}, err
	}
	err = tx.complete(ctx, loyalty.Scope{Role: loyalty.RoleTendero}, all)
	return all[0], err
}

// placing gives one campaign.
func (tx *Tx) placing(ctx context.Context, campaign loyalty.ID) (*placing, error) {
	all, err := tx.placings(ctx, `c.id = $1`, campaign)
	if err != nil {
		return nil, err
	}
	if len(all) == 0 {
		return nil, errNoCampaign()
	}
	return all[0], nil
}

// shopsPart is how a shop stands with a campaign that is there for shops, for who
// may answer for the shop; "" where neither was heard of the other.
func (tx *Tx) shopsPart(ctx context.Context, scope loyalty.Scope, campaign, shop loyalty.ID) (ParticipantStatus, error) {
	if !ownsFor(scope, "", shop) {
		return "", loyalty.Forbidden()
	}
	tx.lockPlaces()
	p, err := tx.placing(ctx, campaign)
	if err != nil {
		return "", err
	}
	if p.CPG == "" || !slices.Contains([]loyalty.Status{loyalty.Approved, loyalty.Active, loyalty.Paused}, p.Status) {
		return "", errNoCampaign()
	}
	return tx.participation(ctx, campaign, shop)
}

func (tx *Tx) participation(ctx context.Context, campaign, shop loyalty.ID) (status ParticipantStatus, err error) {
	err = tx.tx.QueryRow(ctx, `SELECT status FROM campaign_participants WHERE campaign_id = $1 AND shop_id = $2`, campaign, shop).Scan(&status)
	return status, ignoreNone(err)
}

// aimed refuses a shop that the campaign does not aim at.
func (tx *Tx) aimed(ctx context.Context, p *placing, shop loyalty.ID) error {
	s, err := fetch[Shop](ctx, tx, loyalty.Invalid("shop_id", "la tienda no existe"), shopFields+` WHERE id = $1`, shop)
	if err == nil && (p.CPG == "" || !p.mayJoin(s.place())) {
		return loyalty.Invalid("shop_id", "la campaña no es para esa tienda")
	}
	return err
}

// participate writes how the shop stands now, and what comes of it.
func (tx *Tx) participate(ctx context.Context, scope loyalty.Scope, campaign, shop loyalty.ID, status ParticipantStatus) (Participant, error) {
	_, err := tx.tx.Exec(ctx, `
		INSERT INTO campaign_participants (campaign_id, shop_id, status, actor, created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $5)
		ON CONFLICT (campaign_id, shop_id) DO UPDATE SET status = $3, actor = $4, updated_at = $5`,
		campaign, shop, status, scope.Actor(), tx.now)
	if err == nil {
		err = tx.place(ctx, campaign)
	}
	v, err := tx.participant(ctx, campaign, shop, err)
	tx.audit(scope, Updated, "participant", campaign, v.ShopName, difference("shop_id", nil, shop), difference("status", nil, status))
	return v, err
}

// participant reads a shop's part, unless something failed before.
func (tx *Tx) participant(ctx context.Context, campaign, shop loyalty.ID, err error) (Participant, error) {
	if err != nil {
		return Participant{}, err
	}
	return fetch[Participant](ctx, tx, errNoCampaign(), participantFields+` WHERE p.campaign_id = $1 AND p.shop_id = $2`, campaign, shop)
}
