package demo

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"omote/internal/app"
	"omote/internal/customer/consent"
	customererasure "omote/internal/customer/erasure"
	"omote/internal/customer/identity"
	"omote/internal/customer/request"
	"omote/internal/platform/store"
)

// askedShare is the share of customers that the demo asked for consent before its
// history began.
const askedShare = 0.4

// seedPrivacy gives the demo bank consents of its old customers, a few subject
// requests at every stage, a legal hold and one person who was forgotten. All goes
// through the services, with their rules and their audit.
func seedPrivacy(ctx context.Context, a *app.App, seed uint64) error {
	ctx = a.System(ctx)
	var records []string
	err := a.Store.Read(ctx, func(ctx context.Context, tx store.Tx) (err error) {
		records, err = identity.SomeOf(ctx, tx, "crm", 4000)
		return err
	})
	if err != nil || len(records) < 20 {
		return err
	}
	rng := rand.New(rand.NewPCG(seed, 34))
	now := a.Clock.Now()
	said := make([]consent.Said, 0, 100)
	keep := func() error {
		if len(said) == 0 {
			return nil
		}
		err := a.Store.Write(ctx, func(ctx context.Context, tx store.Tx) error { return a.Consents().RecordIn(ctx, tx, said...) })
		said = said[:0]
		return err
	}
	for _, r := range records {
		if rng.Float64() > askedShare {
			continue
		}
		at := store.At(now.AddDate(0, -13, -rng.IntN(300)))
		said = append(said, consent.Said{CustomerID: r, Purpose: "marketing", Channel: consent.AnyChannel, Granted: rng.Float64() < 0.62, At: at, Source: consent.FromStaff,
			TextVersion: 1, Locale: "vi", Evidence: fmt.Sprintf("mẫu DK-%05d", rng.IntN(100_000))})
		if rng.Float64() < 0.35 {
			said = append(said, consent.Said{CustomerID: r, Purpose: "profiling", Channel: "app", Granted: rng.Float64() < 0.5, At: at, Source: consent.FromCentre, TextVersion: 1, Locale: "vi"})
		}
		if len(said) >= 90 {
			if err := keep(); err != nil {
				return err
			}
		}
	}
	if err := keep(); err != nil {
		return err
	}
	return seedRequests(ctx, a, records, now)
}

// seedRequests opens requests so that every stage has one, and forgets one person.
func seedRequests(ctx context.Context, a *app.App, records []string, now time.Time) error {
	svc := a.Requests()
	for i, each := range []struct {
		kind   request.Kind
		days   int
		intake string
		wish   string
		steps  int // how far it got: 1 checked, 2 told, 3 done
	}{
		{request.Access, 1, "app", "Tôi muốn xem ngân hàng đang lưu những gì về tôi.", 0},
		{request.Correct, 6, "branch", "Địa chỉ của tôi đã thay đổi, đề nghị cập nhật.", 1},
		{request.Restrict, 12, "letter", "Đề nghị tạm ngừng sử dụng dữ liệu trong khi tôi khiếu nại.", 2},
		{request.Withdraw, 3, "call", "Tôi không muốn nhận tin quảng cáo nữa.", 0},
		{request.Access, 18, "email", "Please send me a copy of my data.", 3},
		{request.Erase, 9, "branch", "Tôi đã đóng tài khoản, đề nghị xoá dữ liệu.", 3},
	} {
		r, err := svc.Open(ctx, request.New{Customer: records[i*len(records)/8], Kind: each.kind, Jurisdiction: "VN", Intake: each.intake, Locale: "vi",
			Received: now.AddDate(0, 0, -each.days), Wish: each.wish})
		if err != nil {
			return err
		}
		if each.steps >= 1 {
			if err := svc.Check(ctx, r.ID, "app_session", ""); err != nil {
				return err
			}
		}
		if each.steps >= 2 {
			if err := svc.Reply(ctx, r.ID, ""); err != nil {
				return err
			}
		}
		if each.steps < 3 {
			continue
		}
		if each.kind == request.Erase {
			if err := svc.OrderErasure(ctx, r.ID); err != nil {
				return err
			}
			continue // the job carries it out
		}
		if err := svc.Complete(ctx, r.ID, "Bản sao dữ liệu đã được gửi."); err != nil {
			return err
		}
	}
	_, err := a.Erasures().Hold(ctx, customererasure.NewHold{Customer: records[len(records)-1], Reason: "aml", Basis: "Luật Phòng, chống rửa tiền 2022", ReviewAt: now.AddDate(1, 0, 0)})
	return err
}
