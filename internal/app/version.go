package app

import "runtime/debug"

// Version is set when a release is built: -ldflags "-X omote/internal/app.Version=…".
var Version = "dev"

// Build says what a binary was made of.
type Build struct {
	Version  string `json:"version"`
	Revision string `json:"revision"`
	Go       string `json:"go"`
}

// BuildInfo reads what the compiler wrote into this binary.
func BuildInfo() Build {
	b := Build{Version: Version, Revision: "unknown"}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return b
	}
	b.Go = info.GoVersion
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			b.Revision = s.Value
		}
	}
	return b
}
