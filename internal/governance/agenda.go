package governance

import (
	"context"

	"omote/internal/governance/council"
	"omote/internal/governance/initiative"
	"omote/internal/governance/role"
	"omote/internal/platform/approval"
	"omote/internal/platform/auth"
)

// agenda gives the council what initiatives and letters raise.
type agenda struct{ g *Governance }

// Items implements council.Source.
func (a agenda) Items(ctx context.Context) ([]council.Item, error) {
	var out []council.Item
	if auth.Can(ctx, initiative.PermRead) {
		board, err := a.g.Initiatives.Board(ctx)
		if err != nil {
			return nil, err
		}
		for _, v := range board {
			if i, ok := itemOf(v); ok {
				out = append(out, i)
			}
		}
	}
	if auth.Can(ctx, role.PermRead) {
		letters, err := a.g.Roles.Letters(ctx)
		if err != nil {
			return nil, err
		}
		for _, l := range letters {
			if l.State != role.Live {
				continue
			}
			for _, u := range l.Body.Uses {
				if u.Returned {
					out = append(out, council.Item{Kind: "returned", Ref: "letter/" + l.ID, Href: "/governance/letters/" + l.ID, Title: approval.Text{VI: u.What, EN: u.What},
						Low: u.Amount, High: u.Amount, Strength: 0.5, Decides: true})
				}
			}
		}
	}
	return out, nil
}

// itemOf is an initiative that the council should know of: one that stands before a
// gate of the council, or does not move.
func itemOf(v initiative.View) (council.Item, bool) {
	b := v.Body
	if v.State != initiative.Running || b.Lane != initiative.Strategic {
		return council.Item{}, false
	}
	i := council.Item{Ref: "initiative/" + v.ID, Href: "/governance/initiatives/" + v.ID, Title: b.Title, Strength: 0.5, Grade: council.MinGrade}
	if b.Judged != nil {
		i.Low, i.High = b.Judged.Low, b.Judged.High
	}
	switch {
	case b.Pending && (b.Stage == initiative.Strategise || b.Stage == initiative.Measure):
		i.Kind, i.Strength = "gate", 0.7
	case v.Stalled:
		i.Kind = "stalled"
	default:
		return council.Item{}, false
	}
	return i, true
}
