# The front door. On a machine that lacks packages each target installs what it needs first,
# through apt, and says what and why (as root, or with sudo).

BUILD ?= build
BUILD_SAN ?= build-san
PREFIX ?= /usr/local

.PHONY: all build demo test install bench clean packages packages-test

all: build

build: packages
	@test -f $(BUILD)/build.ninja || meson setup --prefix=$(PREFIX) $(BUILD) >$(BUILD).log 2>&1 \
		|| { cat $(BUILD).log; exit 1; }
	@rm -f $(BUILD).log
	@ninja -C $(BUILD) -k 0 --quiet

packages:
	@tools/install_packages.sh build

packages-test:
	@tools/install_packages.sh build test

# Every test, in the ordinary build and again under AddressSanitizer and UBSan.
test: packages-test build
	@test -f $(BUILD_SAN)/build.ninja || \
		meson setup -Db_sanitize=address,undefined $(BUILD_SAN) >/dev/null
	@meson test -C $(BUILD) --print-errorlogs
	@meson test -C $(BUILD_SAN) --print-errorlogs

install: build
	@meson install -C $(BUILD)

clean:
	@rm -rf $(BUILD) $(BUILD_SAN)
