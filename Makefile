# The usual commands. CMake and cargo do the work; see CMakeLists.txt.
PREFIX ?= /usr/local
DESTDIR ?=

.PHONY: build demo test conformance bench bench-parse fuzz catalogue header symbols install clean setup help

build: setup
	@scripts/build

demo: build
	@scripts/demo

test: build
	@scripts/setup --tests
	@scripts/test

conformance: build
	@scripts/conformance

bench: build
	@scripts/bench

bench-parse: build
	@scripts/bench-parse

fuzz:
	@scripts/fuzz $(or $(SECONDS),60)

catalogue:
	@scripts/catalogue

header: setup
	@scripts/header

symbols: build
	@scripts/symbols.sh --update

# Does not build, so that root does not write into build/.
install:
	@test -f build/lib/libwsembed.a || { echo "nothing is built yet: run make first" >&2; exit 1; }
	DESTDIR="$(DESTDIR)" cmake --install build --prefix "$(PREFIX)"

clean:
	rm -rf build

setup:
	@scripts/setup

help:
	@echo "make            build libraries and examples into build/"
	@echo "make demo       send a recording through a rough network, three ways"
	@echo "make test       all tests; the last line is the sum"
	@echo "make conformance  the Autobahn testsuite against echo_server and echo_epoll (needs Python 2.7)"
	@echo "make bench      CPU time of a message beside uWebSockets and libwebsockets (RUNS=5); 3 minutes"
	@echo "make bench-parse  speed beside memcpy, tungstenite, fastwebsockets and wslay; about 4 minutes"
	@echo "make fuzz       the fuzz targets, SECONDS=60 each (needs a C++ compiler)"
	@echo "make catalogue  which tests stand for which row of tests/catalogue.tsv"
	@echo "make install    headers, libraries, CMake package, wsembed.pc (PREFIX=$(PREFIX), DESTDIR=)"
	@echo "make header     write websocket.h, docs/options.md and docs/api/*.md anew from the sources"
	@echo "make symbols    write tests/symbols.txt anew from the library"
	@echo "make clean      remove build/"
	@echo ".ci/run         make test and every stricter check"
