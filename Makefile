# Targets for people and for CI; `make help` lists them. `make demo` and `make test` need nothing before them.

GO       ?= go
VERSION  ?= 0.1.0
BIN      := bin
CACHE    := .cache
TOOLS    := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/omt-tools
LINTER   := golangci-lint-v2.15.0
COMMANDS := omt-scan omt-assign omt-pack omt-push
PLUGINS  := archive crm script
EXE      := $(shell $(GO) env GOEXE)
FUZZTIME ?= 20s
NPM_DUCKDB := @duckdb/node-api@1.5.6-r.1
NPM_AXE     := axe-core@4.14.1
NPM_AZURITE := azurite@3.35.0
NPM_AZCOPY := @azure-tools/azcopy-linux@10.32.2
AZCOPY   := $(CACHE)/azcopy/node_modules/@azure-tools/azcopy-linux/dist/bin/azcopy_linux_amd64
VERSITYGW := github.com/versity/versitygw/cmd/versitygw@v1.8.0
PEERS    := OMT_TEST_DUCKDB=$(CURDIR)/$(CACHE)/duckdb OMT_TEST_NODE_GRPC=$(CURDIR)/$(CACHE)/grpc \
  OMT_TEST_AXE=$(CURDIR)/$(CACHE)/axe OMT_TEST_AZURITE=$(CURDIR)/$(CACHE)/azurite OMT_TEST_VERSITYGW=$(CURDIR)/$(CACHE)/versitygw

.DEFAULT_GOAL := help

help: ## list the targets
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | awk -F'\t' '{printf "  %-10s %s\n", $$1, $$2}'

build: ## build the four commands into bin/, the plugins into bin/plugins/, and lock them
	$(GO) build -trimpath -o $(BIN)/ $(addprefix ./cmd/,$(COMMANDS))
	@mkdir -p $(BIN)/plugins
	$(GO) build -trimpath -o $(BIN)/plugins/ $(addprefix ./plugins/,$(PLUGINS))
	@$(BIN)/omt-scan$(EXE) rules --lock --plugins $(BIN)/plugins

demo: build ## migrate a sample installation into a folder, prove it, unpack it, compare; then one that preflight rules block
	@$(GO) run ./internal/demo -bin $(BIN) -dir demo

test: peers ## run all tests, those of packages in which goroutines meet with the race detector
	@one=$$(GO=$(GO) sh .ci/packages one) && many=$$(GO=$(GO) sh .ci/packages many) && export $(PEERS) && \
	  { $(GO) test -json -timeout 20m $$one || echo "go test: status $$?"; \
	    $(GO) test -json -race -timeout 20m $$many || echo "go test -race: status $$?"; } | $(GO) run ./internal/testlog
	cd plugins/example-go && $(GO) test ./...

race: peers ## run all tests with the race detector, which takes several times as long
	@export $(PEERS) && { $(GO) test -json -race -timeout 60m ./... || echo "go test: status $$?"; } | $(GO) run ./internal/testlog

peers: ## install what the tests compare with, or say what is missing
	@GO=$(GO) sh .ci/peers $(CACHE) $(NPM_DUCKDB) $(NPM_AXE) $(NPM_AZURITE) $(VERSITYGW)

lint: $(TOOLS)/$(LINTER) ## check format, vet (Linux and Windows), linters, import rules, go.mod
	@test -z "$$(gofmt -l cmd internal plugins 2>/dev/null)" || { gofmt -l cmd internal plugins; echo "run gofmt -w on these"; exit 1; }
	$(GO) mod tidy -e -diff # -e: a test of a dependency may name a module version that can no longer be had
	$(GO) vet ./...
	GOOS=windows $(GO) vet ./...
	cd plugins/example-go && $(GO) mod tidy -e -diff && $(GO) vet ./...
	$(GO) run ./internal/protogen -check
	$(TOOLS)/$(LINTER) run --allow-parallel-runners ./...

$(TOOLS)/$(LINTER):
	@mkdir -p $(TOOLS)/build
	GOBIN=$(TOOLS)/build $(GO) install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(LINTER:golangci-lint-%=%)
	@mv $(TOOLS)/build/golangci-lint $@

generate: ## make the Go code of plugins/sdk/proto/rules.proto
	$(GO) run ./internal/protogen

fuzz: ## run every fuzz target for FUZZTIME each
	@for p in $$($(GO) list ./...); do \
	  for f in $$($(GO) test -list '^Fuzz' $$p | grep '^Fuzz'); do \
	    echo "$$p $$f"; $(GO) test -run '^$$' -fuzz "^$$f$$" -fuzztime $(FUZZTIME) $$p || exit 1; done; done

bench: build peers ## measure against tar|zstd, restic, rclone and azcopy on generated files, and the benchmarks of the packages
	$(GO) test -run '^$$' -bench . -benchtime 1s ./internal/manifest ./internal/chunk ./internal/preflight ./plugins
	$(GO) run ./internal/bench -bin $(BIN) -dir $(CACHE)/bench
	@test -x $(AZCOPY) || { npm install --silent --no-fund --no-audit --prefix $(CACHE)/azcopy $(NPM_AZCOPY) && chmod +x $(AZCOPY); } || \
	  echo "bench: azcopy could not be installed by npm (it needs libsecret-1-0, too): its rows are left out" >&2
	$(PEERS) OMT_BENCH_BIN=$(CURDIR)/$(BIN) OMT_BENCH_AZCOPY=$(addprefix $(CURDIR)/,$(AZCOPY)) OMT_BENCH_TRANSFER=4000 OMT_BENCH_LISTING=100000 \
	  $(GO) test -count=1 -timeout 60m -run 'TestTransfer|TestListing' -v ./internal/bench

clean: ## remove what the targets made
	rm -rf $(BIN) $(CACHE) demo

.PHONY: help build demo test race peers lint generate fuzz bench clean
