package voice

import (
	"context"
	"slices"
	"sync"

	"omote/analytics/text"
	"omote/internal/platform/auth"
	"omote/internal/platform/store"
)

// readerVersion names how themes are filled. Raise it when the reading changes: items
// that an older reader filled are read again in the background ([Service.Reread]).
const readerVersion = 1

// Themes are what a voice may speak of: the concepts of the banking lexicon.
var Themes = []string{"account", "brand", "card", "cash", "digital", "discount", "exchange", "loan", "payment", "promotion", "rate", "saving", "security", "staff", "transfer"}

// Theme is one thing that a voice speaks of, with the feeling of the words about it.
type Theme struct {
	Name    string
	Feeling int // -1 unhappy, 0 neither, 1 happy
}

// readers hold the buffers of one goroutine each.
var readers = sync.Pool{New: func() any { return text.NewReader() }}

// themesOf reads what words speak of, in the order in which they do. Where they say
// nothing of how the person feels about it, the score does.
func themesOf(words string, mood int) (out []Theme) {
	r := readers.Get().(*text.Reader)
	defer readers.Put(r)
	sum := map[string]float64{}
	for _, o := range r.Read(words).Opinions {
		if _, there := sum[o.Aspect]; !there {
			out = append(out, Theme{Name: o.Aspect})
		}
		sum[o.Aspect] += o.Score
	}
	for i := range out {
		switch s := sum[out[i].Name]; {
		case s < 0:
			out[i].Feeling = -1
		case s > 0:
			out[i].Feeling = 1
		default:
			out[i].Feeling = mood
		}
	}
	return slices.DeleteFunc(out, func(t Theme) bool { return !slices.Contains(Themes, t.Name) })
}

// Reread fills the themes of items that an older reader filled, or none; at most limit.
// It gives how many it read.
func (s *Service) Reread(ctx context.Context, limit int) (n int, err error) {
	if err := auth.Require(ctx, PermEdit, ""); err != nil {
		return 0, err
	}
	const chunk = 200
	for n < limit {
		read := 0
		err := s.DB.Write(ctx, func(ctx context.Context, tx store.Tx) error {
			items, err := unread(ctx, tx, min(chunk, limit-n))
			if err != nil {
				return err
			}
			if err := s.Box.Open(ctx, tx, &items); err != nil {
				return err
			}
			read = len(items)
			for i := range items {
				if err := replaceThemes(ctx, tx, &items[i], themesOf(items[i].Words.Plain, items[i].Mood)); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil || read == 0 {
			return n, err
		}
		n += read
	}
	return n, nil
}
