# coreproof. Needs Go; Docker adds the tests against real database servers.

GO      ?= go
BIN     := bin
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo devel)
LDFLAGS := -s -w -X github.com/coreproof/coreproof/internal/version.release=$(VERSION)
ARCH    ?= $(shell $(GO) env GOARCH)
STATICCHECK_VERSION := v0.8.2

.PHONY: build test test-race sdk-test page-test lint bench image load-image images validate cross clean

## build: static binaries in bin/
build:
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags "$(LDFLAGS)" -o $(BIN)/coreproof ./cmd/coreproof
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags "$(LDFLAGS)" -o $(BIN)/refcore ./cmd/refcore

## test: the tests, in about three minutes on two CPUs. Those that need Docker, or an
## image that cannot be had, are skipped (COREPROOF_REQUIRE_DOCKER=1 makes them fail
## instead). make test WHOLE=1 leaves nothing out for the sake of time: each defect in
## each generation, all recordings on all stores.
test:
	$(GO) test $(if $(WHOLE),,-short -parallel 4) -timeout 30m ./...

test-race:
	$(GO) test -race -timeout 60m ./...

## sdk-test: the official SuperTokens SDK against the reference core (a module of its own)
sdk-test:
	cd refcore/sdktest && $(GO) test -timeout 20m ./...

## page-test: the pages in Chromium (a module of its own; skipped where there is none)
page-test:
	cd reports/browser && $(GO) test -timeout 20m ./...

## lint: gofmt, go vet, staticcheck
lint:
	@unformatted=$$(gofmt -l .); if [ -n "$$unformatted" ]; then echo "not gofmt-ed:"; echo "$$unformatted"; exit 1; fi
	$(GO) vet ./...
	$(GO) run honnef.co/go/tools/cmd/staticcheck@$(STATICCHECK_VERSION) ./...

## bench: the reference core's benchmarks, in benchstat's format
bench:
	$(GO) test -run '^$$' -bench . -benchmem -count 6 ./refcore/...

## image: the reference core for one machine as a FROM scratch image,
## coreproof/refcore:$(VERSION): make image ARCH=arm64
image:
	CGO_ENABLED=0 GOOS=linux GOARCH=$(ARCH) $(GO) build -trimpath -ldflags "$(LDFLAGS)" -o $(BIN)/linux-$(ARCH)/refcore ./cmd/refcore
	docker build --platform linux/$(ARCH) -f deploy/Dockerfile -t coreproof/refcore:$(VERSION)-$(ARCH) $(BIN)/linux-$(ARCH)
	docker tag coreproof/refcore:$(VERSION)-$(ARCH) coreproof/refcore:latest

## images: that for each machine, e.g. for docker manifest create
images:
	$(MAKE) image ARCH=arm64
	$(MAKE) image ARCH=amd64

## load-image: coreproof itself, for deploy/kubernetes-load
load-image:
	CGO_ENABLED=0 GOOS=linux GOARCH=$(ARCH) $(GO) build -trimpath -ldflags "$(LDFLAGS)" -o $(BIN)/linux-$(ARCH)/coreproof ./cmd/coreproof
	docker build --platform linux/$(ARCH) -f deploy/Dockerfile.coreproof -t coreproof/coreproof:$(VERSION)-$(ARCH) $(BIN)/linux-$(ARCH)
	docker tag coreproof/coreproof:$(VERSION)-$(ARCH) coreproof/coreproof:latest

## validate: Kubernetes and Compose files against the types of those who read them
## (a module of its own)
validate:
	cd deploy/validate && $(GO) test ./...

## cross: builds for the other systems, tests compiled for one of each
cross:
	for t in linux/arm64 darwin/arm64 windows/amd64; do echo "build $$t"; \
		CGO_ENABLED=0 GOOS=$${t%/*} GOARCH=$${t#*/} $(GO) build -o /dev/null ./cmd/coreproof || exit 1; done
	for t in darwin/arm64 windows/amd64; do echo "vet $$t"; \
		CGO_ENABLED=0 GOOS=$${t%/*} GOARCH=$${t#*/} $(GO) vet ./... || exit 1; done

clean:
	rm -rf $(BIN) proof
