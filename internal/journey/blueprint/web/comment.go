package web

import "net/http"

func (p Pages) remark(w http.ResponseWriter, r *http.Request) error {
	journey := r.PathValue("journey")
	if err := p.Maps.Remark(r.Context(), journey, r.FormValue("step"), r.FormValue("text")); err != nil {
		return err
	}
	http.Redirect(w, r, homePath(journey)+"/edit#comments", http.StatusSeeOther)
	return nil
}

func (p Pages) resolve(w http.ResponseWriter, r *http.Request) error {
	journey := r.PathValue("journey")
	if err := p.Maps.Resolve(r.Context(), journey, r.PathValue("comment")); err != nil {
		return err
	}
	http.Redirect(w, r, homePath(journey)+"/edit#comments", http.StatusSeeOther)
	return nil
}
