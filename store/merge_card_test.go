package store_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/qoa-conectados/qoa/store"
	"github.com/qoa-conectados/qoa/store/loyalty"
)

// The code and the link of a card that was merged are the other's, until all its
// links are revoked.
func TestAMergedCardOpensTheOther(t *testing.T) {
	w := newWorld(t, 4)
	ctx := t.Context()
	byPhone, _ := w.onboards("phone")
	byLID, lidCard := w.onboards("LID")
	var link string
	w.do(func(tx *store.Tx) (err error) {
		link, _, err = tx.ChatLink(ctx, byLID)
		return err
	})
	secret := link[len("http://localhost:3000/c/") : len(link)-len("/")-len(lidCard)]
	one := w.merges()
	require.Equal(t, byPhone, one)
	w.do(func(tx *store.Tx) error {
		opened, err := tx.OpenChatLink(ctx, secret, lidCard)
		require.NoError(t, err)
		require.Equal(t, one, opened)
		wallet, err := tx.WalletByCard(ctx, w.admin, lidCard)
		require.NoError(t, err)
		require.Equal(t, one, wallet.Person)
		wallet, err = tx.WalletByCard(ctx, loyalty.Scope{Role: loyalty.RoleConsumer, Person: one}, lidCard)
		require.NoError(t, err)
		require.Equal(t, one, wallet.Person)
		exists, err := tx.CardExists(ctx, lidCard)
		require.True(t, exists)
		return err
	})
	page, err := w.db.CardPage(ctx, secret, lidCard, 5)
	require.NoError(t, err)
	require.Equal(t, one, page.Wallet.Person)
	_, err = w.db.CardPage(ctx, "AAAAAAAAAAAAAAAAAAAAAA", lidCard, 5)
	require.Equal(t, loyalty.CodeCardNotFound, loyalty.CodeOf(err))
	w.do(func(tx *store.Tx) error {
		_, _, err := tx.ReissueLink(ctx, one)
		require.NoError(t, err)
		_, err = tx.OpenChatLink(ctx, secret, lidCard)
		require.Equal(t, loyalty.CodeCardNotFound, loyalty.CodeOf(err))
		return nil
	})
	_, err = w.db.CardPage(ctx, secret, lidCard, 5)
	require.Equal(t, loyalty.CodeCardNotFound, loyalty.CodeOf(err))
	// Who still has the other's ID in hand is told to come again.
	err = w.db.InTx(ctx, func(tx *store.Tx) error {
		_, err := tx.IssueEvidence(ctx, byLID)
		return err
	})
	require.Equal(t, loyalty.CodeUnavailable, loyalty.CodeOf(err))
}
