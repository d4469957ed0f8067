# coreproof. Needs Go; Docker adds the tests against real database servers.

GO      ?= go
BIN     := bin
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo devel)
LDFLAGS := -s -w -X github.com/coreproof/coreproof/internal/version.release=$(VERSION)
STATICCHECK_VERSION := v0.8.2

.PHONY: build test test-race sdk-test lint bench images cross clean

## build: static binaries in bin/
build:
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags "$(LDFLAGS)" -o $(BIN)/coreproof ./cmd/coreproof
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags "$(LDFLAGS)" -o $(BIN)/refcore ./cmd/refcore

## test: all tests; those that need Docker are skipped without it
## (COREPROOF_REQUIRE_DOCKER=1 makes them fail instead)
test:
	$(GO) test -timeout 30m ./...

test-race:
	$(GO) test -race -timeout 60m ./...

## sdk-test: the official SuperTokens SDK against the reference core (a module of its own)
sdk-test:
	cd refcore/sdktest && $(GO) test -timeout 20m ./...

## lint: gofmt, go vet, staticcheck
lint:
	@unformatted=$$(gofmt -l .); if [ -n "$$unformatted" ]; then echo "not gofmt-ed:"; echo "$$unformatted"; exit 1; fi
	$(GO) vet ./...
	$(GO) run honnef.co/go/tools/cmd/staticcheck@$(STATICCHECK_VERSION) ./...

## bench: benchmarks of the reference core, in benchstat's format
bench:
	$(GO) test -run '^$$' -bench . -benchmem -count 6 ./refcore/...

## images: the reference core as a FROM scratch image, coreproof/refcore:$(VERSION)
images: build
	docker build -f deploy/Dockerfile -t coreproof/refcore:$(VERSION) -t coreproof/refcore:latest $(BIN)

## cross: builds for the other systems, tests compiled for one of each
cross:
	for t in darwin/amd64 darwin/arm64 windows/amd64 windows/arm64; do echo "build $$t"; \
		CGO_ENABLED=0 GOOS=$${t%/*} GOARCH=$${t#*/} $(GO) build -o /dev/null ./cmd/coreproof || exit 1; done
	for t in darwin/arm64 windows/amd64; do echo "vet $$t"; \
		CGO_ENABLED=0 GOOS=$${t%/*} GOARCH=$${t#*/} $(GO) vet ./... || exit 1; done

clean:
	rm -rf $(BIN) proof
