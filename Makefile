# The index of this project. `make` alone lists what can be asked of it.
# Variables: PREFIX and DESTDIR (install, uninstall), OPK_SHARED (where the published test data lies; ../shared),
# SECONDS_EACH (fuzz), MUTANTS (mutants), RUNS and PROFILE=1 (bench), OPK_STRICT=1 (warnings are errors; `make check` sets it).

PREFIX ?= /usr/local
DESTDIR ?=
OPK_SHARED ?= ../shared
SECONDS_EACH ?= 60
RUNS ?= 300
PROFILE ?=

# The Swift runtime goes into the programs (scripts/build adds how they are linked), and no folder of theirs is searched for a library: a server needs only libcrypto, libyaml, libcurl (opk also libqrencode) and
# the C library's family, and gets its distribution's.
RELEASE := -c release --static-swift-stdlib --disable-local-rpath
PROGRAMS := opk opk-verify opk-fetch opk-home opk-session opk-demo-provider

export PREFIX DESTDIR OPK_SHARED RELEASE PROGRAMS

.DEFAULT_GOAL := help
.PHONY: help build demo test check lint format bench fuzz mutants reproduce deb tarball install install-laptop uninstall clean
.NOTPARALLEL:

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

build: ## build the programs into .build/release (Debian packages included, if missing)
	@.ci/install-packages build
	@scripts/build

demo: ## log in over real ssh with an embedded provider and a private sshd; leaves nothing behind
	@.ci/install-packages demo
	@scripts/build
	@scripts/demo

test: ## install what the tests need, build, run every test, print the count
	@.ci/install-packages test
	@scripts/build
	@scripts/test

lint: ## format and house rules of the sources (no build needed)
	@scripts/lint

format: ## let swift format write the sources as `make lint` wants them
	@swift format --in-place --recursive Sources Tests Package.swift

check: export OPK_STRICT := 1
check: ## what CI runs: lint, build without a warning, look at the binaries, build one twice, test, replay the fuzz corpora
	@.ci/install-packages test
	@scripts/lint
	@scripts/build
	@scripts/lint-programs
	@scripts/reproduce opk-home
	@scripts/test

bench: ## what opk-verify costs, and whether it may; RUNS=20 for a quick look, PROFILE=1 for where the time goes
	@.ci/install-packages bench
	@scripts/build
	@scripts/bench $(if $(PROFILE),--profile,$(RUNS))

fuzz: ## fuzz each parser for SECONDS_EACH (60) seconds and print the coverage
	@.ci/install-packages build
	@scripts/fuzz

mutants: ## break each check of the protocol in turn (or MUTANTS="ID MODULE…") and look whether a test notices; an hour or less
	@.ci/install-packages test
	@scripts/mutants $(MUTANTS)

reproduce: ## build everything in two folders and compare the programs and packages byte for byte; ten minutes or more
	@.ci/install-packages build
	@.ci/install-packages package
	@scripts/reproduce

deb: ## Debian packages opk and opk-server into .build/packages
	@.ci/install-packages build
	@.ci/install-packages package
	@scripts/build
	@scripts/package deb

tarball: ## the same as a tarball with an installer, for other systems with glibc
	@.ci/install-packages build
	@.ci/install-packages package
	@scripts/build
	@scripts/package tarball

install: ## install what `make build` built (as root, or into DESTDIR); edited files are never overwritten
	@scripts/install

install-laptop: ## install what a laptop needs of it: opk, manuals, completions, the user service
	@scripts/install-laptop

uninstall: ## remove what `make install` put there; edited files stay
	@scripts/uninstall

clean: ## remove the build folders
	rm -rf .build .build-fuzz .build-bench .build-mutants
