# Everything that a fresh machine with Go and make needs: `make sandbox` and `make test`.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

STACK ?= dev
ARCH ?= arm64,amd64

# A go.work above the checkout must not decide which modules are built.
export GOWORK := off
# Most operations only wait on AWS: the engine runs four for each core by default, and more run well at the same time.
export PULUMI_PARALLEL ?= 32

PULUMI_VERSION := 3.274.1
# A Pulumi CLI on the PATH is used where it is new enough. Otherwise one is built from its Go module, once.
PULUMI := $(shell v=$$(pulumi version 2>/dev/null | tr -d v || true); \
	if [ -z "$$v" ] || ! printf '3.245.0\n%s\n' "$$v" | sort -V -C; then echo .tools/pulumi; fi)
CLI := $(or $(PULUMI),pulumi)

# Less garbage collection in the compiler makes a cold build a tenth shorter, within this memory per process.
BUILD := GOGC=400 GOMEMLIMIT=3GiB

# $(call compile,WHAT) starts a recipe line of compilations. On a terminal it shows the seconds that they take.
define compile
@if [ -t 2 ]; then \
	( sleep 3; while printf 'compiling %s: %s s\r' "$(1)" $$SECONDS >&2; do sleep 1; done ) & clock=$$!; \
	trap 'kill $$clock 2>/dev/null; [ $$SECONDS -lt 3 ] || echo >&2' EXIT; \
fi; $(BUILD)
endef
# The program as Pulumi too builds it (Pulumi.yaml).
PROGRAM := .tools/program

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: program
program: app
	$(call compile,this program (first time: minutes and 6 GB of memory)) go build -o $(PROGRAM) .

.PHONY: sandbox
sandbox: $(PULUMI) program ## bring the stack up on a simulated AWS; no account needed (STACK=dev; ACCOUNT=new: with a new account's quotas)
	@$(PROGRAM) sandbox up --stack $(STACK) $(if $(ACCOUNT),--account $(ACCOUNT))

.PHONY: sandbox-destroy
sandbox-destroy: $(PULUMI) program ## destroy what `make sandbox` created, protected resources too (STACK=dev)
	@$(PROGRAM) sandbox destroy --stack $(STACK)

.PHONY: destroy
destroy: $(PULUMI) ## delete a stack of a real account; refused while it is protected (STACK=dev)
	go run . destroy --stack $(STACK)

# Packages with concurrent code: tested with the race detector.
RACE := /app/cmd/cinema$$|/app/internal/(api|credentialwatch|databasemetrics|dev|electiontest|mirror|passwords|store|thumbnailer)$$|/internal/(awssim|plan)$$

.PHONY: test
test: $(PULUMI) .tools/staticcheck .tools/actionlint ## vet, gofmt, linters and the tests, without the sweep and the end-to-end run
	@test -z "$$(gofmt -l .)" || { echo "gofmt these:"; gofmt -l .; exit 1; }
	$(BUILD) go vet ./...
	.tools/staticcheck ./...
	.tools/actionlint .github/workflows/*.yml
	go test -vet=off -timeout 60m $$(go list ./... | grep -Ev '$(RACE)')
	go test -vet=off -timeout 60m $$(test "$$(go env CGO_ENABLED)" = 1 && echo -race || echo "no C compiler: tests run without the race detector" >&2) \
		$$(go list ./... | grep -E '$(RACE)')

.PHONY: sweep
sweep: $(PULUMI) ## fail each resource type once in the sandbox, and check that the next run finishes
	go test ./stack -run '^TestFaultSweep$$' -sweep-faults -timeout 30m

# How many inputs each fuzz test tries. Where this is a duration, go test sometimes reports its end as a failure, "context deadline
# exceeded" (https://go.dev/issue/75804, fixed in Go 1.27). An input is minimized by a number of tries too, instead of for a minute.
FUZZTIME ?= 75000x

.PHONY: fuzz
fuzz: ## search for input that breaks the readers of images and of JSON bodies (FUZZTIME=75000x each)
	go test ./app/internal/images -run '^$$' -fuzz '^FuzzPrepare$$' -fuzztime $(FUZZTIME) -fuzzminimizetime 1000x
	go test ./app/internal/api -run '^$$' -fuzz '^FuzzBody$$' -fuzztime $(FUZZTIME) -fuzzminimizetime 1000x

# Tools of other languages, from npm: linters of openapi.json, and axe, which the tests of the page use where it is installed.
.tools/npm: internal/tools/npm/package.json internal/tools/npm/package-lock.json
	mkdir -p $@ && cp $^ $@/ && npm --prefix $@ ci --no-audit --no-fund --ignore-scripts && touch $@

.PHONY: lint-api
lint-api: .tools/npm ## lint openapi.json with redocly and spectral; needs npm
	.tools/npm/node_modules/.bin/redocly lint --config internal/tools/npm/redocly.yaml app/internal/api/openapi.json
	.tools/npm/node_modules/.bin/spectral lint --ruleset internal/tools/npm/spectral.yaml --fail-severity hint app/internal/api/openapi.json

# What boots the user data, outside this repository.
BOOT ?= ../shared/boot/boot
BOOTS ?= database pair
# It renders the user data that the lab boots.
export BOOT_RENDER ?= ./internal/bootdata

.PHONY: boots
boots: ## boot the user data on real systemd and cloud-init, as root: half an hour (BOOTS=api: the API host only)
	@if [ ! -x "$(BOOT)" ]; then echo "boots skipped: they need $(BOOT)"; exit 0; fi; \
	for checks in $(BOOTS); do \
		status=0; "$(BOOT)" $$checks || status=$$?; \
		if [ $$status = 3 ]; then echo "boot $$checks skipped: it cannot run here"; elif [ $$status != 0 ]; then exit $$status; fi; \
	done

.PHONY: app
app: ## build the application's binaries for embedding (ARCH=arm64,amd64)
	$(call compile,the application (first time: minutes)) go run ./app/cmd/build -arch $(ARCH)

.PHONY: dev
dev: ## the application on this machine, at http://localhost:8081; keeps its data in .dev
	go run ./app/cmd/dev

.PHONY: bench
bench: app ## measure the API, the thumbnailer and the binaries
	go run ./app/cmd/bench

.PHONY: tools
tools: $(PULUMI) .tools/staticcheck .tools/actionlint ## build the pinned tools into .tools/

.tools/pulumi: internal/tools/go.mod internal/tools/go.sum
	@echo "building the Pulumi CLI $(PULUMI_VERSION) from its Go module: minutes and about 2 GB of memory, once"
	$(call compile,the Pulumi CLI) go -C internal/tools build -ldflags "-s -w -X github.com/pulumi/pulumi/sdk/v3/go/common/version.Version=$(PULUMI_VERSION)" \
		-o ../../.tools/pulumi github.com/pulumi/pulumi/pkg/v3/cmd/pulumi

.tools/staticcheck: PACKAGE := honnef.co/go/tools/cmd/staticcheck
.tools/actionlint: PACKAGE := github.com/rhysd/actionlint/cmd/actionlint
.tools/staticcheck .tools/actionlint: internal/tools/lint/go.mod internal/tools/lint/go.sum
	go -C internal/tools/lint build -o ../../../$@ $(PACKAGE)

.PHONY: clean
clean: ## remove everything built
	rm -rf .tools .sandbox .artifacts app/bin/*.gz app/bin/manifest.json

.PHONY: restore
restore: $(PULUMI) app ## restore the database from a snapshot: SNAPSHOT=snap-… STACK=prod
	@[[ "$(SNAPSHOT)" =~ ^snap-[0-9a-f]+$$ ]] || { echo "usage: make restore SNAPSHOT=snap-… STACK=name; docs/operations.md says where to find it"; exit 2; }
	$(CLI) stack select $(STACK)
	$(CLI) config set --path 'cinema:database.restoreFrom' $(SNAPSHOT)
	for urn in $$($(CLI) stack --show-urns | grep -o 'urn:[^ ]*aws:ebs/volume:Volume::database-data[a-z0-9-]*'); do $(CLI) state unprotect --yes "$$urn" || exit; done
	$(CLI) up
