package web

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"omote/internal/journey/blueprint"
	"omote/internal/platform/errs"
	"omote/internal/platform/httpx"
	"omote/internal/platform/i18n"
)

// edit is what the editor's script sends.
type edit struct {
	Client string         `json:"client"`
	Place  string         `json:"place"`
	Ops    []blueprint.Op `json:"ops"`
}

const maxEdit = 2 << 20

func readEdit(r *http.Request) (edit, error) {
	var e edit
	raw, err := io.ReadAll(http.MaxBytesReader(nil, r.Body, maxEdit))
	if err != nil {
		return e, err
	}
	if err := json.Unmarshal(raw, &e); err != nil {
		return e, errs.Invalid("blueprint.error.json", "body", "the edit is no valid JSON: %v", err).With("detail", err.Error())
	}
	if !blueprint.ValidID(e.Client) {
		return e, errs.Invalid("blueprint.error.client", "client", "an editor needs an id")
	}
	return e, nil
}

// answer writes an outcome for the script. A failure keeps its status and says
// what is wrong in the reader's language.
func answer(w http.ResponseWriter, r *http.Request, out blueprint.Outcome, err error) error {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	if err != nil {
		status := httpx.Status(err)
		if status >= 500 {
			return err
		}
		w.WriteHeader(status)
		return json.NewEncoder(w).Encode(map[string]string{"detail": i18n.Error(r.Context(), err)})
	}
	return json.NewEncoder(w).Encode(map[string]any{"rev": out.Rev, "applied": len(out.Applied), "conflicts": len(out.Conflicts) > 0})
}

func (p Pages) ops(w http.ResponseWriter, r *http.Request) error {
	e, err := readEdit(r)
	if err != nil {
		return answer(w, r, blueprint.Outcome{}, err)
	}
	for i := range e.Ops {
		if err := asWait(&e.Ops[i]); err != nil {
			return answer(w, r, blueprint.Outcome{}, err)
		}
	}
	out, err := p.Maps.Edit(r.Context(), r.PathValue("journey"), e.Client, e.Ops)
	return answer(w, r, out, err)
}

// asWait turns a duration as a person wrote it into the form of the document.
func asWait(o *blueprint.Op) error {
	if o.Kind != blueprint.OpSet || o.Field != "max_wait" && o.Field != "timeout" {
		return nil
	}
	var typed struct{ Wait *string }
	if json.Unmarshal(o.Value, &typed) != nil || typed.Wait == nil {
		return nil
	}
	d, err := parseWait(*typed.Wait)
	if err == nil {
		o.Value, err = json.Marshal(d)
	}
	return err
}

func (p Pages) undo(w http.ResponseWriter, r *http.Request) error {
	return p.history(w, r, p.Maps.Undo)
}

func (p Pages) redo(w http.ResponseWriter, r *http.Request) error {
	return p.history(w, r, p.Maps.Redo)
}

func (p Pages) settle(w http.ResponseWriter, r *http.Request) error {
	_, err := p.Maps.Settle(r.Context(), r.PathValue("journey"), r.PathValue("op"), r.FormValue("choice") == "mine")
	if err != nil {
		return err
	}
	http.Redirect(w, r, homePath(r.PathValue("journey"))+"/edit", http.StatusSeeOther)
	return nil
}

func (p Pages) look(w http.ResponseWriter, r *http.Request) error {
	e, err := readEdit(r)
	if err != nil {
		return answer(w, r, blueprint.Outcome{}, err)
	}
	now, err := p.Maps.Look(r.Context(), r.PathValue("journey"), e.Client, e.Place)
	return answer(w, r, blueprint.Outcome{Rev: now.Rev}, err)
}

func (p Pages) leave(w http.ResponseWriter, r *http.Request) error {
	e, err := readEdit(r)
	if err == nil {
		err = p.Maps.Leave(r.Context(), r.PathValue("journey"), e.Client)
	}
	return answer(w, r, blueprint.Outcome{}, err)
}

// Pace of the stream of changes: a look at the row after a change on this node at
// once, otherwise now and then, for changes on others.
const (
	lookEvery = 2 * time.Second
	aliveFor  = time.Hour // after that the browser connects anew
)

// live streams what the script must know of others: the revision, who is there.
func (p Pages) live(w http.ResponseWriter, r *http.Request) error {
	ctx, journey := r.Context(), r.PathValue("journey")
	now, err := p.Maps.Look(ctx, journey, "", "")
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Accel-Buffering", "no")
	out := http.NewResponseController(w)
	told, quiet := "", 0
	for end := time.Now().Add(aliveFor); time.Now().Before(end); {
		woken := p.Maps.Changed(ctx, journey)
		message, err := p.message(r, now)
		if err != nil {
			return nil // the stream has begun: the browser connects anew
		}
		if quiet++; message != told || quiet > 7 {
			told, quiet = message, 0
			if _, err := fmt.Fprintf(w, "data: %s\n\n", message); err != nil {
				return nil
			}
			if err := out.Flush(); err != nil {
				return nil
			}
		}
		timer := time.NewTimer(lookEvery)
		select {
		case <-ctx.Done():
			timer.Stop()
			return nil
		case <-p.Ending:
			timer.Stop()
			return nil
		case <-woken:
			timer.Stop()
		case <-timer.C:
		}
		if now, err = p.Maps.Look(ctx, journey, "", ""); err != nil {
			return nil
		}
	}
	return nil
}

func (p Pages) message(r *http.Request, now blueprint.Now) (string, error) {
	type present struct {
		Client string `json:"client"`
		Name   string `json:"name"`
		Place  string `json:"place"`
	}
	refs := make([]string, len(now.Present))
	for i, x := range now.Present {
		refs[i] = x.Actor
	}
	var names map[string]string
	if len(refs) > 0 {
		names = p.Names(r.Context(), refs...)
	}
	list := make([]present, len(now.Present))
	for i, x := range now.Present {
		name := names[x.Actor]
		if name == "" {
			name = x.Actor
		}
		list[i] = present{Client: x.Client, Name: name, Place: x.Place}
	}
	stamp, err := p.Maps.Stamp(r.Context(), r.PathValue("journey"))
	if err != nil {
		return "", err
	}
	raw, err := json.Marshal(map[string]any{"rev": now.Rev, "stamp": stamp, "present": list})
	return string(raw), err
}

// history undoes or redoes: for the script, or for a plain form.
func (p Pages) history(w http.ResponseWriter, r *http.Request, do func(ctx context.Context, journey, client string) (blueprint.Outcome, error)) error {
	if !strings.HasPrefix(r.Header.Get("Content-Type"), "application/json") {
		if _, err := do(r.Context(), r.PathValue("journey"), formClient); err != nil {
			return err
		}
		http.Redirect(w, r, homePath(r.PathValue("journey"))+"/edit", http.StatusSeeOther)
		return nil
	}
	e, err := readEdit(r)
	if err != nil {
		return answer(w, r, blueprint.Outcome{}, err)
	}
	out, err := do(r.Context(), r.PathValue("journey"), e.Client)
	return answer(w, r, out, err)
}

// formClient is the editor's id of edits that come from plain forms.
const formClient = "form"
