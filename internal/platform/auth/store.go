package auth

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"omote/internal/platform/errs"
	"omote/internal/platform/store"
)

func affected(res sql.Result, err error) (int64, error) {
	if err != nil {
		return 0, fmt.Errorf("auth: %w", err)
	}
	n, err := res.RowsAffected()
	if err != nil {
		return 0, fmt.Errorf("auth: %w", err)
	}
	return n, nil
}

func do(_ sql.Result, err error) error {
	if err != nil {
		return fmt.Errorf("auth: %w", err)
	}
	return nil
}

// findByEmail reads the account of a normalised address.
func (s *Service) findByEmail(ctx context.Context, tx store.Tx, email string) (r accountRow, err error) {
	entries, err := s.box.BlindSearch(ctx, tx, emailColumn, email)
	if err != nil {
		return r, err
	}
	err = tx.NewSelect().Model(&r).Where("entity = ? AND email_index IN (?)", tx.Scope.Entity, bun.List(entries)).Limit(1).Scan(ctx)
	if err != nil {
		return r, err
	}
	return r, s.box.Open(ctx, tx, &r)
}

func (s *Service) accountByID(ctx context.Context, tx store.Tx, id string) (r accountRow, err error) {
	err = tx.NewSelect().Model(&r).Where("id = ? AND entity = ?", id, tx.Scope.Entity).Scan(ctx)
	if store.IsNoRows(err) {
		return r, errs.NotFound("auth.account_not_found", "no account %s", id)
	}
	if err != nil {
		return r, fmt.Errorf("auth: account: %w", err)
	}
	return r, s.box.Open(ctx, tx, &r)
}

func (s *Service) insertAccount(ctx context.Context, tx store.Tx, r *accountRow) error {
	if err := s.box.Seal(ctx, tx, r); err != nil {
		return err
	}
	return do(tx.NewInsert().Model(r).Exec(ctx))
}

func (s *Service) updateAccount(ctx context.Context, tx store.Tx, r *accountRow) error {
	if err := s.box.Seal(ctx, tx, r); err != nil {
		return err
	}
	return do(tx.NewUpdate().Model(r).WherePK().Exec(ctx))
}

func (s *Service) allAccounts(ctx context.Context, tx store.Tx) (rows []accountRow, grants map[string][]Grant, err error) {
	if err := tx.NewSelect().Model(&rows).Where("entity = ?", tx.Scope.Entity).Order("id").Scan(ctx); err != nil {
		return nil, nil, fmt.Errorf("auth: accounts: %w", err)
	}
	if err := s.box.Open(ctx, tx, &rows); err != nil {
		return nil, nil, err
	}
	var all []grantRow
	if err := tx.NewSelect().Model(&all).Order("account_id", "unit", "role").Scan(ctx); err != nil {
		return nil, nil, fmt.Errorf("auth: grants: %w", err)
	}
	grants = make(map[string][]Grant, len(rows))
	for _, g := range all {
		grants[g.AccountID] = append(grants[g.AccountID], Grant{g.Role, g.Unit})
	}
	return rows, grants, nil
}

func countAccounts(ctx context.Context, tx store.Tx) (int64, error) {
	n, err := tx.NewSelect().Model((*accountRow)(nil)).Where("entity = ?", tx.Scope.Entity).Count(ctx)
	if err != nil {
		return 0, fmt.Errorf("auth: count accounts: %w", err)
	}
	return n, nil
}

func grantsOf(ctx context.Context, tx store.Tx, account string) ([]Grant, error) {
	var rows []grantRow
	if err := tx.NewSelect().Model(&rows).Where("account_id = ?", account).Order("unit", "role").Scan(ctx); err != nil {
		return nil, fmt.Errorf("auth: grants: %w", err)
	}
	out := make([]Grant, len(rows))
	for i, g := range rows {
		out[i] = Grant{g.Role, g.Unit}
	}
	return out, nil
}

func setGrants(ctx context.Context, tx store.Tx, account string, grants []Grant) error {
	if err := do(tx.NewDelete().Model((*grantRow)(nil)).Where("account_id = ?", account).Exec(ctx)); err != nil || len(grants) == 0 {
		return err
	}
	rows := make([]grantRow, len(grants))
	for i, g := range grants {
		rows[i] = grantRow{AccountID: account, Role: g.Role, Unit: g.Unit}
	}
	return do(tx.NewInsert().Model(&rows).Exec(ctx))
}

// moveGrants rewrites paths that begin with from. Grants of other entities have
// other accounts; keys name their entity.
func moveGrants(ctx context.Context, tx store.Tx, from, to string) error {
	like, cut := likePrefix(from), len([]rune(from))+1
	mine := tx.NewSelect().Model((*accountRow)(nil)).Column("id").Where("entity = ?", tx.Scope.Entity)
	if err := do(tx.NewUpdate().Model((*grantRow)(nil)).Set("unit = ? || SUBSTR(unit, ?)", to, cut).
		Where("unit LIKE ? ESCAPE '!'", like).Where("account_id IN (?)", mine).Exec(ctx)); err != nil {
		return err
	}
	if err := do(tx.NewUpdate().Model((*sessionRow)(nil)).Set("place = ? || SUBSTR(place, ?)", to, cut).
		Where("place LIKE ? ESCAPE '!'", like).Where("account_id IN (?)", mine).Exec(ctx)); err != nil {
		return err
	}
	return do(tx.NewUpdate().Model((*keyRow)(nil)).Set("unit = ? || SUBSTR(unit, ?)", to, cut).
		Where("unit LIKE ? ESCAPE '!'", like).Where("entity = ?", tx.Scope.Entity).Exec(ctx))
}

// likePrefix is a LIKE pattern, with ESCAPE '!', for texts that begin with s.
func likePrefix(s string) string {
	return strings.NewReplacer("!", "!!", "%", "!%", "_", "!_").Replace(s) + "%"
}

// useRecovery uses up a recovery code; false when there is no such code.
func useRecovery(ctx context.Context, tx store.Tx, account, hash string) (bool, error) {
	n, err := affected(tx.NewRaw("DELETE FROM auth_recovery WHERE account_id = ? AND hash = ?", account, hash).Exec(ctx))
	return n > 0, err
}

func replaceRecovery(ctx context.Context, tx store.Tx, account string, hashes []string) error {
	if err := do(tx.NewRaw("DELETE FROM auth_recovery WHERE account_id = ?", account).Exec(ctx)); err != nil {
		return err
	}
	for _, h := range hashes {
		if err := do(tx.NewRaw("INSERT INTO auth_recovery (account_id, hash) VALUES (?, ?)", account, h).Exec(ctx)); err != nil {
			return err
		}
	}
	return nil
}

func countRecovery(ctx context.Context, tx store.Tx, account string) (n int, err error) {
	err = tx.NewRaw("SELECT COUNT(*) FROM auth_recovery WHERE account_id = ?", account).Scan(ctx, &n)
	return n, err
}

// useStep notes that the code of a step was used; false when it, or a later one,
// was used before.
func useStep(ctx context.Context, tx store.Tx, account string, step int64) (bool, error) {
	n, err := affected(tx.NewUpdate().Model((*accountRow)(nil)).Set("totp_step = ?", step).Where("id = ? AND totp_step < ?", account, step).Exec(ctx))
	return n > 0, err
}

// Sessions.

func insertSession(ctx context.Context, tx store.Tx, r *sessionRow) error {
	return do(tx.NewInsert().Model(r).Exec(ctx))
}

func sessionByHash(ctx context.Context, tx store.Tx, hash string) (r sessionRow, err error) {
	err = tx.NewSelect().Model(&r).Where("hash = ?", hash).Scan(ctx)
	return r, err
}

func sessionsOf(ctx context.Context, tx store.Tx, account string) (rows []sessionRow, err error) {
	if err := tx.NewSelect().Model(&rows).Where("account_id = ? AND expires > ?", account, tx.Now()).Order("seen DESC").Scan(ctx); err != nil {
		return nil, fmt.Errorf("auth: sessions: %w", err)
	}
	return rows, nil
}

func touchSession(ctx context.Context, tx store.Tx, id string, now store.Micros) error {
	return do(tx.NewUpdate().Model((*sessionRow)(nil)).Set("seen = ?", now).Where("id = ?", id).Exec(ctx))
}

func setPlace(ctx context.Context, tx store.Tx, id, place string) error {
	return do(tx.NewUpdate().Model((*sessionRow)(nil)).Set("place = ?", place).Where("id = ?", id).Exec(ctx))
}

func deleteSession(ctx context.Context, tx store.Tx, account, id string) (int64, error) {
	return affected(tx.NewDelete().Model((*sessionRow)(nil)).Where("id = ? AND account_id = ?", id, account).Exec(ctx))
}

// deleteSessions ends all sessions of an account but one ("" for none).
func deleteSessions(ctx context.Context, tx store.Tx, account, except string) error {
	return do(tx.NewDelete().Model((*sessionRow)(nil)).Where("account_id = ? AND id <> ?", account, except).Exec(ctx))
}

// Links that work once.

func insertLink(ctx context.Context, tx store.Tx, hash, kind, account string, expires store.Micros) error {
	return do(tx.NewRaw("INSERT INTO auth_link (hash, kind, account_id, expires) VALUES (?, ?, ?, ?)", hash, kind, account, expires).Exec(ctx))
}

// useLink uses up a link and gives the account it is for; ok is false when
// there is none or it is too old.
func useLink(ctx context.Context, tx store.Tx, hash, kind string) (account string, ok bool, err error) {
	var expires store.Micros
	err = tx.NewRaw("SELECT account_id, expires FROM auth_link WHERE hash = ? AND kind = ?", hash, kind).Scan(ctx, &account, &expires)
	if store.IsNoRows(err) || (err == nil && expires <= tx.Now()) {
		return "", false, nil
	}
	if err != nil {
		return "", false, fmt.Errorf("auth: link: %w", err)
	}
	n, err := affected(tx.NewRaw("DELETE FROM auth_link WHERE hash = ?", hash).Exec(ctx))
	return account, n > 0, err
}

func deleteLinks(ctx context.Context, tx store.Tx, account string) error {
	return do(tx.NewRaw("DELETE FROM auth_link WHERE account_id = ?", account).Exec(ctx))
}

func deleteLinksOfKind(ctx context.Context, tx store.Tx, kind string) error {
	return do(tx.NewRaw("DELETE FROM auth_link WHERE kind = ?", kind).Exec(ctx))
}

// sweep deletes what has ended.
func sweep(ctx context.Context, tx store.Tx, now store.Micros) error {
	for _, q := range []string{"DELETE FROM auth_session WHERE expires <= ?", "DELETE FROM auth_link WHERE expires <= ?", "DELETE FROM auth_flow WHERE expires <= ?"} {
		if err := do(tx.NewRaw(q, now).Exec(ctx)); err != nil {
			return err
		}
	}
	return do(tx.NewRaw("DELETE FROM auth_throttle WHERE last <= ?", now.Add(-24*time.Hour)).Exec(ctx))
}
