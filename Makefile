# Omote. `make help` lists what there is.
GO      ?= go
VERSION ?= $(shell git describe --always --dirty 2>/dev/null || echo dev)
LDFLAGS  = -X omote/internal/app.Version=$(VERSION)
BIN      = bin/omote
export OMOTE_SHARED_DATA ?= $(abspath ../shared/data)

.PHONY: help build demo test verify crash bench lint generate cover clean tools

help: ## what there is
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 12

build: ## the binary, at bin/omote
	$(GO) build -ldflags "$(LDFLAGS)" -o $(BIN) ./cmd/omote

demo: build ## a running bank with a year of history, at http://127.0.0.1:8080
	$(BIN) demo

test: tools ## every suite in its short form; at most 15 minutes on 2 cores
	@scripts/test.sh

verify: tools ## the long forms: simulations, hundreds of seeds, full crash runs, fuzzing
	@scripts/verify.sh

crash: tools ## kill the server at 200 random points and count
	OMOTE_VERIFY=1 $(GO) test -count=1 -timeout 60m -v -run 'TestCrash' ./internal/app/...

bench: build ## the hot paths, as JSON
	@scripts/bench.sh

lint: ## vet, staticcheck, formatting, generated files
	@scripts/lint.sh

generate: ## templ components
	$(GO) tool templ generate

tools: ## what the suites need (PostgreSQL, Chromium, Node.js), when this machine lets it be installed
	@scripts/tools.sh

clean: ## what was built
	rm -rf bin .cache
