# libhotrod: `make demo` shows it, `make test` proves it. `make help` lists the rest.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

CARGO ?= cargo
SECONDS ?= 60
# Server lines of `make test-matrix`, beside the newest, which `make test` covers.
MATRIX ?= 15.2.6.Final 15.0.21.Final 14.0.28.Final 13.0.18.Final

.PHONY: help demo test test-matrix sim sim-planted lint bench bench-failover fuzz vectors vectors-routing generate conformance doc setup install clean

help: ## What can be made
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

demo: ## The main job, on an embedded cluster and real sockets
	@$(CARGO) build --release --quiet -p hotrod-cli
	@target/release/hotrod demo

setup: ## Install what the tests need and this machine lacks
	@tools/setup

test: setup ## Every test, real servers included (SKIP_REAL=1 leaves those out, and says so)
	$(CARGO) test --workspace --features hotrod-core/fuzzing
	tools/no-std-check

test-matrix: setup ## Operations and authentication on older server lines
	for version in $(MATRIX); do \
	  echo "== Infinispan $$version"; \
	  HOTROD_INFINISPAN_VERSION=$$version $(CARGO) test -p infinispan-harness --test operations --test authentication || exit 1; \
	done

sim: ## The cluster machine on SEEDS simulated clusters (SEEDS=10000)
	$(CARGO) run --release --quiet -p hotrod-sim -- --seeds $(or $(SEEDS),10000)

sim-planted: ## Plant known bugs in a copy, and have the simulation find each
	tests/sim/planted

lint: ## Formatting and lints, warnings as errors
	$(CARGO) fmt --all --check
	$(CARGO) clippy --workspace --all-targets --features hotrod-core/fuzzing -- -D warnings

bench: setup ## Measure the core, and the driver beside its peers; writes target/bench.json
	bench/run

bench-failover: setup ## Kill a node under load, under our client and under Java's; writes target/failover.json
	bench/failover

fuzz: ## Run every fuzz target for SECONDS each
	fuzz/run.sh $(SECONDS)

vectors: setup ## Capture the golden vectors anew from a real server
	rm -f spec/vectors/hotrod-*.json
	HOTROD_RECORD=$(CURDIR)/spec/vectors $(CARGO) test -p infinispan-harness --test operations -- --test-threads=1

vectors-routing: setup ## Have Infinispan's Java client make the routing vectors anew
	bench/peers/build.sh java
	bench/peers/java/routing-vectors > spec/routing/java.json

generate: ## What is made from the vocabulary of core: spec/vocabulary.json, and what the bindings make of it
	$(CARGO) run --quiet -p hotrod-vocabulary

conformance: ## Record the conformance scenarios anew; look at the difference before it is kept
	$(CARGO) run --quiet -p hotrod-conformance

doc: ## Reference documentation
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --workspace --exclude hotrod-cli --no-deps

install: ## Install the command line programs (PREFIX=/usr/local)
	$(CARGO) install --path cli --root $(or $(PREFIX),/usr/local) --locked
	$(CARGO) install --path gateway --root $(or $(PREFIX),/usr/local) --locked

clean: ## Remove what was built
	$(CARGO) clean
