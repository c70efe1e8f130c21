package bank

import (
	"embed"
	"fmt"
	"strconv"
	"strings"
	"sync"
)

//go:embed packs
var packFiles embed.FS

// PackFile gives the bytes of an embedded content pack, such as
// "journey_templates.yaml".
func PackFile(name string) ([]byte, error) {
	b, err := packFiles.ReadFile("packs/" + name)
	if err != nil {
		return nil, fmt.Errorf("bank: no content pack %q: %w", name, err)
	}
	return b, nil
}

// packLines reads the lines of a pack that are neither empty nor comments.
func packLines(name string) []string {
	b, err := PackFile(name)
	if err != nil {
		panic(err) // the packs are part of the program
	}
	var lines []string
	for line := range strings.Lines(string(b)) {
		line = strings.TrimRight(line, "\r\n")
		if line == "" || line == "#" || strings.HasPrefix(line, "# ") {
			continue
		}
		lines = append(lines, line)
	}
	return lines
}

func packFloat(s string) float64 {
	f, err := strconv.ParseFloat(s, 64)
	if err != nil {
		panic(fmt.Sprintf("bank: content pack: %v", err))
	}
	return f
}

// province is one of the 63 provinces before July 2025.
type province struct {
	code   string // of a citizen id
	name   string
	region int // index into regions
	weight float64
	merged string // name since July 2025
	places []place
}

// place is a ward with its district before July 2025 and its ward since.
type place struct{ district, ward, newWard string }

// nameList is a list of names with one weighting per birth cohort.
type nameList struct {
	names []string
	by    [4]choice
}

func (l *nameList) draw(r *rng, cohort int) string { return l.names[l.by[cohort].draw(r)] }

// content is what the packs hold, parsed once.
type content struct {
	provinces  []province
	byProvince choice
	branches   []Branch
	local      [][]int // branches of a province's region, nearest first is not modelled
	surnames   nameList
	middle     [2]nameList // by sex: 0 male, 1 female
	given      [2]nameList
}

var packs = sync.OnceValue(loadPacks)

func loadPacks() *content {
	c := &content{}
	c.loadProvinces()
	c.loadBranches()
	c.surnames = loadNames(packLines("surnames.txt"))
	c.given[0] = loadNames(packLines("given_male.txt"))
	c.given[1] = loadNames(packLines("given_female.txt"))
	var m, f []string
	for _, line := range packLines("middle_names.txt") {
		if rest, ok := strings.CutPrefix(line, "f "); ok {
			f = append(f, rest)
		} else {
			m = append(m, strings.TrimPrefix(line, "m "))
		}
	}
	c.middle[0], c.middle[1] = loadNames(m), loadNames(f)
	return c
}

func loadNames(lines []string) nameList {
	var l nameList
	var w [4][]float64
	for _, line := range lines {
		f := strings.Fields(line)
		name := f[0]
		if name == "-" {
			name = ""
		}
		l.names = append(l.names, name)
		for i := range w {
			w[i] = append(w[i], packFloat(f[1+min(i, len(f)-2)]))
		}
	}
	for i := range w {
		l.by[i] = newChoice(w[i])
	}
	return l
}

func (c *content) loadProvinces() {
	var w []float64
	for _, line := range packLines("provinces.csv")[1:] {
		f := strings.Split(line, ",")
		p := province{code: f[0], name: f[1], region: regionIndex(f[2]), weight: packFloat(f[3]) * packFloat(f[4]), merged: f[5]}
		for _, s := range strings.Split(f[6], ";") {
			w := strings.Split(s, "/")
			p.places = append(p.places, place{district: w[0], ward: w[1], newWard: w[2]})
		}
		c.provinces = append(c.provinces, p)
		w = append(w, p.weight)
	}
	c.byProvince = newChoice(w)
}

func (c *content) loadBranches() {
	for _, line := range packLines("branches.csv")[1:] {
		f := strings.Split(line, ",")
		b := Branch{Code: f[0], Name: f[1], size: packFloat(f[3]), Counters: int(packFloat(f[4])), Saturday: f[5] == "1"}
		for i := range c.provinces {
			if c.provinces[i].code == f[2] {
				b.province = i
				b.Province = c.provinces[i].name
				b.Region = Regions[c.provinces[i].region].Code
				b.region = c.provinces[i].region
			}
		}
		b.Path = "/" + b.Region + "/" + b.Code + "/"
		c.branches = append(c.branches, b)
	}
	c.local = make([][]int, len(c.provinces))
	for p := range c.provinces {
		for i := range c.branches {
			if c.branches[i].province == p {
				c.local[p] = append(c.local[p], i)
			}
		}
		for i := range c.branches {
			if len(c.local[p]) == 0 && c.branches[i].region == c.provinces[p].region && c.provinces[c.branches[i].province].merged == c.provinces[p].merged {
				c.local[p] = []int{i}
			}
		}
		if len(c.local[p]) == 0 {
			for i := range c.branches {
				if c.branches[i].region == c.provinces[p].region {
					c.local[p] = append(c.local[p], i)
				}
			}
		}
	}
}
