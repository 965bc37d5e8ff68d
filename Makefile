# libhotrod: `make demo` shows it, `make test` proves it. `make help` lists the rest.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

CARGO ?= cargo
SECONDS ?= 60
# Server lines of `make test-matrix`, beside the newest, which `make test` covers.
MATRIX ?= 15.2.6.Final 15.0.21.Final 14.0.28.Final 13.0.18.Final

.PHONY: help demo test test-matrix outside interoperability deploy-check sim sim-planted lint deny gateway-load bench bench-head-of-line bench-failover fuzz corpus vectors vectors-http vectors-routing vectors-protostream generate conformance doc doc-bindings setup install install-c clean differential tenants

help: ## What can be made
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

demo: $(if $(REAL),setup) ## The main job, on an embedded cluster and real sockets; REAL=1: on Infinispan behind HAProxy
	@$(CARGO) build --release --quiet -p hotrod-cli
	@$(if $(REAL),$(CARGO) run --quiet -p hotrod-outside -- --demo target/release/hotrod,target/release/hotrod demo)

setup: ## Install what the tests need and this machine lacks
	@tools/setup

test: setup ## Every test, real servers included (SKIP_REAL=1 leaves those out, and says so)
	$(CARGO) test --workspace --features hotrod-core/fuzzing
	tools/no-std-check
	bindings/c/run-tests
	bindings/node/run-tests
	bindings/python/run-tests
	gateway/deploy/check
	gateway/deploy/check --tests
	tests/foreign/run-tests

outside: setup ## Every way to members from outside, on real routers, with every failure; writes target/outside.json
	$(CARGO) build --release --quiet -p hotrod-outside -p hotrod-gateway
	HOTROD_GATEWAY=$(CURDIR)/target/release/hotrod-gateway target/release/hotrod-outside

interoperability: setup ## Keys and values of Infinispan's own Java and JavaScript clients, read and written in other languages, on a real server
	tests/interoperability/run-tests

deploy-check: ## Check the manifests of gateway/deploy, without a cluster, and that faults in them are found
	gateway/deploy/check
	gateway/deploy/check --tests

test-matrix: setup ## Operations and authentication on older server lines
	for version in $(MATRIX); do \
	  echo "== Infinispan $$version"; \
	  HOTROD_INFINISPAN_VERSION=$$version $(CARGO) test -p infinispan-harness --test operations --test authentication || exit 1; \
	done

sim: ## The cluster machine on SEEDS simulated clusters (SEEDS=10000)
	$(CARGO) run --release --quiet -p hotrod-sim -- --seeds $(or $(SEEDS),10000)

sim-planted: ## Plant known bugs in a copy, and have the simulation find each
	tests/sim/planted

lint: ## Formatting, lints (warnings as errors), workflows, names that no registry may be asked for
	tools/lint
	$(CARGO) fmt --all --check
	$(CARGO) clippy --workspace --all-targets --features hotrod-core/fuzzing -- -D warnings

deny: ## Licences, bans, sources and advisories of dependencies (cargo-deny; DENY_OFFLINE=1 without advisories)
	tools/deny

gateway-load: ## What 10,000 slow readers and 10,000 idle tunnels cost the gateway; prints a line of JSON for each
	$(CARGO) test --release -p hotrod-gateway --test gateway load -- --ignored --nocapture --test-threads=1

bench: setup ## Measure the core, the gateway's memory, and the drivers beside their peers; writes target/bench.json
	bench/run

bench-head-of-line: setup ## What a small GET takes while large values stream both ways; adds to target/bench.json
	bench/head-of-line

bench-failover: setup ## Kill a node under load, under our client and under Java's; writes target/failover.json
	bench/failover

fuzz: ## Run every fuzz target for SECONDS each
	fuzz/run.sh $(SECONDS)

tenants: setup ## An attacker with rights on one cache beside a victim at work, for SECONDS=600, on a real server behind gateways
	TENANT_SECONDS=$(if $(filter command line,$(origin SECONDS)),$(SECONDS),600) tests/foreign/run-tests attacks.test_tenants

differential: setup ## Have the scanner and Infinispan's decoder read the same MUTANTS=200000 requests and mutants
	$(CARGO) run --release --quiet -p hotrod-differential -- --mutants $(or $(MUTANTS),200000)

corpus: ## The public test cases of HTTP/2: copies of http2jp/hpack-test-case and http2jp/http2-frame-test-case in DIR
	$(if $(DIR),HOTROD_CORPUS="$(DIR)") $(CARGO) run --release --quiet -p hotrod-corpus

vectors: setup ## Capture the golden vectors anew from a real server
	rm -f spec/vectors/hotrod-[0-9]*.json
	HOTROD_RECORD=$(CURDIR)/spec/vectors $(CARGO) test -p infinispan-harness --test operations -- --test-threads=1

vectors-http: ## Write the vectors and examples of Hot Rod over HTTP anew (Python packages hpack, hyperframe, h2)
	tools/http-vectors

vectors-routing: setup ## Have Infinispan's Java client make the routing vectors anew
	bench/peers/build.sh java
	bench/peers/java/routing-vectors > spec/routing/java.json

vectors-protostream: setup ## Have the marshaller of Infinispan's Java client write the ProtoStream vectors anew
	bench/peers/build.sh java
	bench/peers/java/protostream-vectors > spec/vectors/protostream.json

generate: ## Generate spec/vocabulary.json, the files of the bindings made from it, and docs/api
	$(CARGO) run --quiet -p hotrod-vocabulary
	$(CARGO) run --quiet -p hotrod-rust-generate
	$(CARGO) run --quiet -p hotrod-c-generate
	node bindings/node/generate.mjs
	python3 bindings/python/generate.py
	$(CARGO) run --quiet -p hotrod-public-api

conformance: ## Record the conformance scenarios anew; look at the difference before it is kept
	$(CARGO) run --quiet -p hotrod-conformance

doc: ## Reference documentation
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --workspace --exclude hotrod-cli --exclude hotrod-c --exclude hotrod-python --exclude hotrod-node --no-deps

doc-bindings: ## Reference documentation of the bindings: target/doc-python, -node, -c (after their tests)
	cd bindings/python && $(CURDIR)/target/python/bin/pdoc -o $(CURDIR)/target/doc-python libhotrod
	cd bindings/node && npx typedoc --out $(CURDIR)/target/doc-node types/index.d.ts
	cd bindings/c && OUTPUT=$(CURDIR)/target/doc-c doxygen Doxyfile

install-c: ## Install libhotrod.h, libhotrod.so, libhotrod.a and libhotrod.pc (PREFIX=/usr/local)
	bindings/c/install $(or $(PREFIX),/usr/local)

install: install-c ## Install the C library and the command line programs (PREFIX=/usr/local)
	$(CARGO) install --path cli --root $(or $(PREFIX),/usr/local) --locked
	$(CARGO) install --path gateway --root $(or $(PREFIX),/usr/local) --locked

clean: ## Remove what was built
	$(CARGO) clean
