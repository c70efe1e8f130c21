package api

import (
	"context"
	"time"

	"omote/internal/admin/org"
)

// OrgUnit is one place of the organisation.
type OrgUnit struct {
	ID        string     `json:"id"`
	Code      string     `json:"code"`
	Path      string     `json:"path" doc:"codes from the top; / is the entity itself"`
	Kind      string     `json:"kind" enum:"entity,region,unit"`
	Name      string     `json:"name"`
	CreatedAt time.Time  `json:"created_at"`
	ClosedAt  *time.Time `json:"closed_at,omitempty"`
}

func viewUnit(u org.Unit) OrgUnit {
	return OrgUnit{u.ID, u.Code, u.Path, string(u.Kind), u.Name, u.Created, at(u.Closed)}
}

func (a API) listUnits(ctx context.Context, in *struct {
	Paging
	Search string `query:"search" doc:"part of a name or code"`
	Kind   string `query:"kind" enum:"entity,region,unit"`
	Closed bool   `query:"closed" doc:"closed units too"`
}) (*list[OrgUnit], error) {
	p, err := a.Org.List(ctx, org.Query{Search: in.Search, Kind: org.Kind(in.Kind), Closed: in.Closed, After: in.After, Limit: in.Limit})
	if err != nil {
		return nil, err
	}
	return listOf(p.Items, p.Next, p.Total, viewUnit), nil
}

func (a API) getUnit(ctx context.Context, in *ByID) (*one[OrgUnit], error) {
	u, err := a.Org.Get(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	return &one[OrgUnit]{viewUnit(u)}, nil
}

func (a API) addUnit(ctx context.Context, in *struct {
	Body struct {
		Parent string `json:"parent" default:"/" doc:"path of the unit above"`
		Code   string `json:"code" doc:"lower-case letters, digits and hyphens; unique and never changed"`
		Kind   string `json:"kind" enum:"region,unit"`
		Name   string `json:"name"`
	}
}) (*one[OrgUnit], error) {
	b := in.Body
	u, err := a.Org.Add(ctx, org.New{Parent: b.Parent, Code: b.Code, Kind: org.Kind(b.Kind), Name: b.Name})
	if err != nil {
		return nil, err
	}
	return &one[OrgUnit]{viewUnit(u)}, nil
}

func (a API) renameUnit(ctx context.Context, in *struct {
	ByID
	Body struct {
		Name string `json:"name"`
	}
}) (*one[OrgUnit], error) {
	if err := a.Org.Rename(ctx, in.ID, in.Body.Name); err != nil {
		return nil, err
	}
	return a.getUnit(ctx, &in.ByID)
}

func (a API) moveUnit(ctx context.Context, in *struct {
	ByID
	Body struct {
		Parent string `json:"parent" doc:"path of the new unit above"`
	}
}) (*one[OrgUnit], error) {
	if err := a.Org.Move(ctx, in.ID, in.Body.Parent); err != nil {
		return nil, err
	}
	return a.getUnit(ctx, &in.ByID)
}

func (a API) steerUnit(ctx context.Context, in *struct {
	ByID
	Act string `path:"act" enum:"close,reopen"`
}) (*one[OrgUnit], error) {
	act := a.Org.Close
	if in.Act == "reopen" {
		act = a.Org.Reopen
	}
	if err := act(ctx, in.ID); err != nil {
		return nil, err
	}
	return a.getUnit(ctx, &in.ByID)
}
