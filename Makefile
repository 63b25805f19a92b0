# One verb, one target. `make help` lists them.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

PYTHON ?= python3
UV_VERSION := $(shell sed -n 's/^ARG UV_VERSION=//p' Dockerfile)
PY := .venv/bin/python
PYTEST := $(PY) -m pytest
# Much of the time of the tests is waiting, for leases that expire and clocks that run.
WORKERS ?= 2
# By the content of the sources, so that a clean clone starts warm. mypy says when a file changed.
export MYPY_CACHE_DIR := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/spidercoordinator/mypy
FULL := TESTBED_NODES=2 TESTBED_MESH=sidecar TESTBED_IPAM=whereabouts
# What testbed/prerequisites.py declares is installed if it is missing, and nothing else is found.
# The tests (tests/conftest.py) and `python -m testbed` see to it themselves.
GUARDED = PATH="$$($(PY) -m testbed.guard)";
GO_LDFLAGS := -s -w
ACTIONLINT := go tool actionlint -shellcheck=$(CURDIR)/.venv/bin/shellcheck -pyflakes=
STATICCHECK := go tool -modfile=$(CURDIR)/tools/go.mod staticcheck
# Go modules with code of our own (testbed/{kubernetes,helm,istio,prometheus-operator,cert-manager,whereabouts,calico,flannel,flannel-cni,kube-router} only link other people's).
GO_MODULES := $(patsubst %/go.mod,%,$(filter-out testbed/kubernetes/% testbed/helm/% testbed/istio/% testbed/prometheus-operator/% testbed/cert-manager/% testbed/whereabouts/% testbed/calico/% testbed/flannel/% testbed/flannel-cni/% testbed/kube-router/% tools/%,$(shell git ls-files '*go.mod')))

# Its notice of its own successor is no finding.
SITE := $(PY) -m tools.site && NO_MKDOCS_2_WARNING=1 .venv/bin/mkdocs build --quiet

.PHONY: help
help: ## List the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

.venv/.synced: pyproject.toml uv.lock
	@command -v $(PYTHON) >/dev/null || { echo "Python 3.11 or newer is needed: set PYTHON to it" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed, $(PYTHON) is older: set PYTHON to one" >&2; exit 1; }
	@$(PYTHON) -m testbed.prerequisites
	$(PYTHON) -m venv .venv
	.venv/bin/pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
	.venv/bin/uv sync --locked --quiet --compile-bytecode
	.venv/bin/python -m compileall -q operator
	@touch $@

.PHONY: setup
setup: .venv/.synced ## Make the Python environment in .venv

.PHONY: build
build: ## Build the CNI binaries into build/bin
	@command -v go >/dev/null || { echo "Go is needed and not found on PATH; cni/go.mod names the version" >&2; exit 1; }
	mkdir -p build/bin
	cd cni && CGO_ENABLED=0 go build -trimpath -ldflags '$(GO_LDFLAGS)' -o ../build/bin/ ./cmd/...

.PHONY: krew
krew: setup ## The kubectl plugin for krew in build/krew; URL=where the archive will be
	@test -n "$(URL)" || { echo "URL is not set: where the archive will be, https://..." >&2; exit 1; }
	$(PY) -m tools.krew.package --url "$(URL)"

.PHONY: release-check
release-check: setup ## Whether this tree can be released; TAG=vX.Y.Z, as that version
	$(PY) -m tools.release check --tag "$(TAG)"

.PHONY: release-files
release-files: setup ## The files of a release in build/release; URL=where they will be
	@test -n "$(URL)" || { echo "URL is not set: the folder where the files will be, https://..." >&2; exit 1; }
	$(PY) -m tools.release build --url "$(URL)"

.PHONY: generate
generate: setup ## Write all generated files: CRDs, the chart's copies and schema, reference docs
	$(PY) -m tools.generate

.PHONY: format
format: setup ## Format the sources
	.venv/bin/ruff format .
	.venv/bin/ruff check --fix --quiet .
	gofmt -w $(GO_MODULES)

.PHONY: check
check: setup ## Format, lint, types, layers, generated files
	.venv/bin/ruff format --check --quiet .
	.venv/bin/ruff check --quiet .
	.venv/bin/mypy
	.venv/bin/lint-imports --no-cache
	$(PY) -m tools.generate --check
	$(SITE)
	@$(GUARDED) test -z "$$(gofmt -l $(GO_MODULES))" || { echo "gofmt: run make format for:" >&2; gofmt -l $(GO_MODULES) >&2; exit 1; }
	$(GUARDED) for module in $(GO_MODULES); do (cd $$module && go vet ./... && $(STATICCHECK) ./...); done
	$(GUARDED) cd tools && $(ACTIONLINT) ../.github/workflows/*.yaml

.PHONY: docs
docs: setup ## The documentation site into build/site; a broken link fails
	$(SITE)

.PHONY: unit
unit: setup ## Fast tests: no root, no network, no cluster
	@$(GUARDED)
	$(PYTEST) tests/unit
	$(MAKE) go-tests

.PHONY: test
test: setup ## All tests; sets up what it needs (root)
	$(MAKE) --jobs=2 checked prepared
	$(MAKE) --jobs=3 suites cluster-suites kernel-suites

# The checks use one processor most of the time. What runs side by side says its progress line by line.
.PHONY: checked
checked:
	$(MAKE) check | sed --unbuffered 's/^/check: /'

.PHONY: prepared
prepared:
	{ $(MAKE) build; $(PY) -m testbed prepare; $(MAKE) go-tests; } | sed --unbuffered 's/^/prepare: /'

.PHONY: go-tests
go-tests:
	$(GUARDED) for module in $(GO_MODULES); do (cd $$module && go test ./...); done

# Much of the time of the first two is waiting.
.PHONY: suites
suites:
	$(PYTEST) -n $(WORKERS) --dist loadfile tests/unit tests/apiserver tests/chart tests/cni tests/istio tests/images --durations=15 | sed --unbuffered 's/^/suites: /'

.PHONY: cluster-suites
cluster-suites:
	$(FULL) $(PY) -m testbed up | sed --unbuffered 's/^/cluster: /'
	rc=0; $(FULL) $(PYTEST) tests/e2e tests/mesh --verbose --durations=15 | sed --unbuffered 's/^/cluster: /' || rc=$$?; $(PY) -m testbed down; exit $$rc

# What only stock kernels show.
.PHONY: kernel-suites
kernel-suites:
	$(PY) -m testbed kernels --quick | sed --unbuffered 's/^/kernels: /'

.PHONY: fresh
fresh: setup ## The whole of make test where there are only Python, Go and git (root, an hour)
	$(PY) -m testbed fresh

.PHONY: kernels
kernels: setup build ## tests/cni, tests/istio and tests/kernels on stock kernels, in QEMU (root)
	$(PY) -m testbed kernels

.PHONY: cert-manager
cert-manager: setup ## The webhook's certificate by the real cert-manager (root, before a release)
	$(PY) -m testbed prepare
	$(PYTEST) tests/certmanager

.PHONY: bench
bench: setup build ## Benchmarks; figures are ratios to a yardstick of the same run (root)
	$(PY) -m testbed prepare
	$(PYTEST) tests/bench -s -p no:cacheprovider

.PHONY: up
up: setup build ## A real Kubernetes here with the operator installed (root)
	$(PY) -m testbed up

.PHONY: down
down: setup ## Remove the testbed
	$(PY) -m testbed down

.PHONY: demo
demo: setup build ## The Istio guide from start to proof, on a real Kubernetes (root)
	$(PY) -m testbed demo

.PHONY: kind-up
kind-up: setup build ## The same cluster on kind, for machines with Docker
	testbed/kind/up.sh
