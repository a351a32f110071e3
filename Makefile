# Every command of this project. Recipes have no conditions: what needs logic is in scripts/.

TARGET ?= $(or $(CARGO_TARGET_DIR),target)
WASM := $(TARGET)/wasm32-wasip1/release/portcullis_filter.wasm
STATIC := $(TARGET)/x86_64-unknown-linux-musl/release/portcullis
COMPONENT := $(TARGET)/component/wasm32-unknown-unknown/release/portcullis_component.wasm
# What is shipped is the same wherever it is built: panics name no folder of the machine.
CARGO_HOME ?= $(HOME)/.cargo
REMAP := --config 'build.rustflags=["--remap-path-prefix=$(CARGO_HOME)/registry/src=/cargo", "--remap-path-prefix=$(CURDIR)=/portcullis"]'
# Changes that are in no commit are told.
REVISION ?= $(shell git describe --always --dirty --abbrev=40 --exclude='*' 2>/dev/null)
MODE ?=
# Some shells have a HOST of their own.
OIDC_HOST := $(if $(filter native,$(HOST)),native,envoy)

.DEFAULT_GOAL := help
.PHONY: help filter inspector native native-static image image-filter image-native demo envoy-up envoy-down native-up native-down oidc-up oidc-down tools test test-all ci
.PHONY: man image-test image-twice component component-test
.PHONY: fmt clippy docs no-std-proof deny envoy-matrix bench bench-core fuzz clean

help: ## Lists the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

filter: wasm-target ## Builds the Envoy filter and says where it is
	cargo build --release --config filter-wasm/release.toml $(REMAP) --target wasm32-wasip1 -p portcullis-filter
	cargo run --quiet --release --manifest-path filter-wasm/trim/Cargo.toml --target-dir $(TARGET)/packager -- $(WASM)
	@echo "the filter is $(WASM)"

inspector: unknown-target ## Builds the inspector's npm package, and its copy in the admin page
	cargo build --release --config bindings/inspector/release.toml $(REMAP) --target wasm32-unknown-unknown -p portcullis-inspector
	cargo run --quiet --release --manifest-path bindings/inspector/packager/Cargo.toml --target-dir $(TARGET)/packager -- \
	    $(TARGET)/wasm32-unknown-unknown/release/portcullis_inspector.wasm bindings/inspector/package LICENSE $(TARGET)/inspector/pkg
	cp $(TARGET)/inspector/pkg/portcullis_inspector.js $(TARGET)/inspector/pkg/portcullis_inspector_bg.wasm native-server/inspector
	@echo "the npm package is $(TARGET)/inspector/pkg"

# What `portcullis --version` says.
native native-static: export PORTCULLIS_COMMIT = $(REVISION)

native: inspector ## Builds the native reverse proxy and says where it is
	cargo build --release --config native-server/release.toml -p portcullis
	@echo "the binary is $(TARGET)/release/portcullis"

native-static: inspector musl-target ## Builds the native binary without libraries, for its image
	CC_x86_64_unknown_linux_musl=$$(scripts/tools.py musl) cargo build --release \
	    --config native-server/release.toml $(REMAP) --target x86_64-unknown-linux-musl -p portcullis
	@echo "the binary is $(STATIC)"

image: image-filter image-native ## Writes the OCI images of both into target/image, with bills of materials

image-filter: filter # The image of the filter alone
	cargo run --quiet -p portcullis-image -- filter $(WASM) $(TARGET)/image/filter "$(REVISION)"

image-native: native-static # The image of the native binary alone
	cargo run --quiet -p portcullis-image -- native $(STATIC) $(TARGET)/image/native "$(REVISION)"

image-test: image ## Tries the images: in a registry, and the binary as nobody in an empty root
	cargo test -p portcullis-image --test container

image-twice: ## Builds the images in a second folder too and compares their digests
	scripts/image-twice.sh

component: unknown-target ## Builds the engine as a WebAssembly component, and what loads it in Node.js
	cargo build --release $(REMAP) --manifest-path bindings/component/Cargo.toml --target-dir $(TARGET)/component --target wasm32-unknown-unknown
	scripts/tools.py npm bindings/component/node
	$$(scripts/tools.py node) bindings/component/node/build.mjs $(COMPONENT) $(TARGET)/component

component-test: component ## Runs the parity table through the component, in Node.js and in wasmtime, however built
	cargo build -p portcullis
	cargo build --release --manifest-path bindings/component/rust/Cargo.toml --target-dir $(TARGET)/component-rust
	scripts/component-test.sh

man: native ## Writes the pages of the manual into target/man
	$(TARGET)/release/portcullis man --dir $(TARGET)/man

demo: # The MCP server that the demos protect, and a client
	cargo build -p portcullis-demo

envoy-up: filter native demo ## Starts a demo behind Envoy on 127.0.0.1:10000 (MODE=api-key|jwt|oidc|zscaler|none)
	@python3 scripts/demo.py up envoy $(MODE)

envoy-down: ## Ends what envoy-up started
	@python3 scripts/demo.py down envoy

native-up: native demo ## Starts a demo behind the native binary on 127.0.0.1:8000 (MODE as above)
	@python3 scripts/demo.py up native $(MODE)

native-down: ## Ends what native-up started
	@python3 scripts/demo.py down native

oidc-up: filter native demo ## Starts a demo of signing in behind Envoy, or with HOST=native behind the binary
	@python3 scripts/demo.py up $(OIDC_HOST) oidcproxy

oidc-down: ## Ends what oidc-up started (HOST as there)
	@python3 scripts/demo.py down $(OIDC_HOST)

tools: ## Fetches Envoy, real clients and servers, a browser and valgrind, into target/tools
	python3 scripts/tools.py all

# The native binary is tested in the dev profile: its dependencies are then those of the unit
# tests, compiled once. The filter is tested as it is shipped.
test: filter inspector tools ## Runs every test (README's second command)
	cargo build --workspace --bins --tests --examples
	cargo build --release -p portcullis-core-cost
	scripts/test.sh
	cargo test --workspace --doc

test-all: ci deny envoy-matrix image-test image-twice component-test ## Runs all of ci, then what is too slow for it

ci: fmt clippy docs no-std-proof test ## Runs all that CI runs, in that order

fmt: ## Checks the formatting
	cargo fmt --all --check
	cargo fmt --check --manifest-path bindings/component/Cargo.toml
	cargo fmt --check --manifest-path bindings/component/rust/Cargo.toml
	cargo fmt --check --manifest-path filter-wasm/trim/Cargo.toml

clippy: wasm-target unknown-target ## Checks the lints, warnings as errors, for both targets
	cargo clippy --workspace --all-targets -- -D warnings
	cargo clippy --release --target wasm32-wasip1 -p portcullis-filter -- -D warnings
	cargo clippy --manifest-path bindings/component/Cargo.toml --target-dir $(TARGET)/component --target wasm32-unknown-unknown -- -D warnings

docs: ## Checks the documentation, warnings as errors
	RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps

no-std-proof: ## Shows that the core links no std
	cargo check --manifest-path core/no-std-proof/Cargo.toml --target-dir $(TARGET)/no-std-proof

deny: ## Checks licences, duplicates and sources with cargo-deny
	scripts/deny.sh

envoy-matrix: filter ## Runs the parity table on every Envoy line that Istio ships
	cargo build --workspace
	scripts/envoy-matrix.sh 1.36.4 1.37.0 1.38.2 1.39.3 1.40.0

bench: filter native ## Measures both hosts and others, writes docs/benchmarks.md (QUICK=1: under 3 minutes)
	cargo build --release --target wasm32-wasip1 -p portcullis-bench-empty
	cargo build --release -p portcullis-bench
	taskset -c 1 $(TARGET)/release/portcullis-bench

bench-core: ## Measures what the engine alone takes for a decision
	cargo bench -p portcullis-core

fuzz: ## Explores with every fuzz target, a minute each (nightly compiler, cargo-fuzz)
	scripts/fuzz.sh 60

clean: ## Removes all that was built or fetched
	cargo clean

.PHONY: wasm-target unknown-target musl-target
wasm-target:
	rustup target add wasm32-wasip1

unknown-target:
	rustup target add wasm32-unknown-unknown

musl-target:
	rustup target add x86_64-unknown-linux-musl
