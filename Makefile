# `make help` lists what there is. Everything lands in bin/ and var/, which git ignores.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

# Where git is absent (a tarball, an image) the build still says something.
VERSION ?= $(or $(shell git describe --tags --always --dirty 2>/dev/null),dev)
COMMIT  ?= $(or $(shell git rev-parse --short=12 HEAD 2>/dev/null),unknown)
LDFLAGS := -s -w -X main.version=$(VERSION) -X main.commit=$(COMMIT)

# Build and linters use the same flags, since each set of flags is a build cache
# of its own. We stamp the commit ourselves, so Go need not ask git again.
STATIC := CGO_ENABLED=0 GOFLAGS='$(GOFLAGS) -trimpath -buildvcs=false'
TOOL   := go tool -modfile=.ci/tools/go.mod

# Each package with a database has a Postgres of its own; more of them at once
# than processors only makes them slower.
TEST_FLAGS ?= -race -timeout 15m
PKG ?= ./...

.PHONY: help
help: ## what you can do here
	@grep -hE '^[a-z%-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{ printf "  make %-12s %s\n", $$1, $$2 }'

.PHONY: deps
deps: ## installs what `make run` needs and this machine lacks (Debian: apt-get)
	@.ci/deps runtime

.PHONY: deps-test
deps-test: ## installs what the tests need as well: a C compiler, Chromium
	@.ci/deps test

.PHONY: run
run: deps build ## everything on this machine: installs, builds, starts with demo data
	@exec bin/qoa dev

.PHONY: build
build: ## bin/qoa
	@$(STATIC) go build -ldflags '$(LDFLAGS)' -o bin/qoa ./cmd/qoa

# Docker, Podman or Buildah, whichever answers first: Docker's client may be there
# without its server. The time of the commit is that of every file, so that the same
# commit makes the same image.
ENGINE ?= $(shell for e in docker podman buildah; do $$e version >/dev/null 2>&1 && echo $$e && break; done)
EPOCH  ?= $(or $(shell git log -1 --format=%ct 2>/dev/null),0)
# What Docker does by itself: it keeps layers, and the health check is no part of the
# other format.
PLAIN   = $(if $(filter docker,$(notdir $(firstword $(ENGINE)))),,--layers --format docker --timestamp $(EPOCH))

.PHONY: image
image: ## images qoa:latest and qoa-tools:latest (ENGINE='podman', IMAGE_FLAGS='--pull')
	@$(if $(ENGINE),,$(error install docker, podman or buildah))
	@for target in qoa tools; do \
	  name=qoa; [ $$target = qoa ] || name=qoa-$$target; \
	  $(ENGINE) build $(IMAGE_FLAGS) $(PLAIN) --target $$target --tag $$name:latest --tag $$name:$(VERSION) \
	    --build-arg VERSION=$(VERSION) --build-arg COMMIT=$(COMMIT) --build-arg SOURCE_DATE_EPOCH=$(EPOCH) .; \
	done

.PHONY: image-test
image-test: ## runs these images: each role, backup and restore (as root; after `make image`)
	@.ci/image-test $(ENGINE)

.PHONY: test
test: deps-test ## all tests, short form, race detector (PKG=./store/... for some)
	@CGO_ENABLED=1 go test $(TEST_FLAGS) $(PKG)

.PHONY: soak
soak: deps-test ## the long forms: many kills, many messages; prints counts
	@QOA_SOAK=1 CGO_ENABLED=1 go test -race -timeout 120m -count=1 -v $(PKG)

.PHONY: bench
bench: bench-rules bench-scan bench-growth bench-turns ## all measurements, each beside its own baseline (takes a while)

.PHONY: bench-scan
bench-scan: bin/bench ## purchases through HTTP beside one-statement pgbench (BENCH='-seconds 5')
	@bin/bench scan $(BENCH)

.PHONY: bench-growth
bench-growth: bin/bench ## the same, and card pages, up to 10^7 ledger rows (BENCH='-rows 10000,1000000')
	@bin/bench growth $(BENCH)

.PHONY: bench-turns
bench-turns: bin/bench ## a conversation's turn over the simulator beside pgbench's writes (BENCH='-seconds 5')
	@bin/bench turns $(BENCH)

.PHONY: screenshots
screenshots: deps-test ## takes the pictures of docs/screenshots.md anew, from demo data at a fixed moment
	@rm -rf docs/screenshots
	@QOA_SCREENSHOTS=$(CURDIR)/docs/screenshots QOA_SCREENSHOT_TYPE=webp go test ./cmd/qoa -run Gallery -count=1

.PHONY: bench-pages
bench-pages: bin/bench deps-test var/lighthouse/node_modules ## what a phone gets and how quickly, by Lighthouse (BENCH='-runs 1')
	@bin/bench pages $(BENCH)

# Lighthouse and all it needs, as pinned, where git does not look.
var/lighthouse/node_modules: .ci/lighthouse/package.json .ci/lighthouse/package-lock.json
	@.ci/deps pages
	@mkdir -p var/lighthouse && cp $^ var/lighthouse/
	@npm ci --prefix var/lighthouse --no-audit --no-fund --ignore-scripts --loglevel=error
	@touch $@

.PHONY: bin/bench
bin/bench: deps build
	@$(STATIC) go build -ldflags '-s -w' -o bin/bench ./cmd/bench

.PHONY: bench-rules
bench-rules: ## the pure engine: a purchase judged by three campaigns; floor 5 µs
	@go test -run '^$$' -bench Evaluate -benchmem ./store/loyalty

.PHONY: lint
lint: ## gofmt, go vet, staticcheck
	@unformatted=$$(go list -f '{{.Dir}}' ./... | xargs gofmt -l | sort -u); \
	if [ -n "$$unformatted" ]; then printf 'not formatted, run gofmt -w on:\n%s\n' "$$unformatted" >&2; exit 1; fi
	@$(STATIC) go vet ./...
	@# It only warns where it finds nothing to check, which must not pass for clean.
	@out=$$($(STATIC) $(TOOL) staticcheck -checks all ./... 2>&1) && ! grep -q 'matched no packages' <<<"$$out" || { echo "$$out" >&2; exit 1; }

.PHONY: vuln
vuln: ## known vulnerabilities in what we call (asks vuln.go.dev)
	@.ci/vuln

.PHONY: clean
clean: ## removes bin/; your data in var/ stays
	@rm -rf bin
