# The front door. On a machine that lacks packages each target installs what it needs first,
# through apt, and says what and why (as root, or with sudo).

BUILD ?= build
BUILD_SAN ?= build-san
BUILD_TSAN ?= build-tsan
BUILD_BENCH ?= build-bench
BUILD_FUZZ ?= build-fuzz
BUILD_NEWER ?= build-newer
PREFIX ?= /usr/local
FUZZ_SECONDS ?= 60

.PHONY: all build demo demo-kafka test test-long test-kafka-long test-newer-librdkafka install bench fuzz clean packages packages-test

all: build

define configure # $(1): where, $(2): with what. Quiet unless it fails.
	@test -f $(1)/build.ninja || meson setup $(2) $(1) >$(1).log 2>&1 || { cat $(1).log; exit 1; }
	@rm -f $(1).log
endef

build: packages
	$(call configure,$(BUILD),--prefix=$(PREFIX))
	@ninja -C $(BUILD) -n | grep -q 'no work' || echo "building payonce in $(BUILD)/"
	@ninja -C $(BUILD) --quiet

packages:
	@tools/install_packages.sh build

# Without Java the tests on real brokers are skipped, and say so.
packages-test:
	@tools/install_packages.sh build test
	@tools/install_packages.sh kafka || true
	@test/kafka/brokers fetch 3.9 4.1 || true

# Simulate payments, kill the program three times in the middle, reconcile to the cent.
demo: build
	@$(BUILD)/payonce demo

# The same on three real Kafka brokers: lost answers, kill -9, a broker that dies.
demo-kafka: build
	@tools/install_packages.sh kafka || true
	@test/kafka/demo $(BUILD)/payonce

# Every test in the ordinary build; again under AddressSanitizer and UBSan, where the program
# also dies at each of its named crash points (real brokers: in the long programme); the threaded
# ones again under ThreadSanitizer.
test: packages-test build
	@meson configure $(BUILD) -Dtests=enabled # It may be older than the tests' packages.
	$(call configure,$(BUILD_SAN),-Dtests=enabled -Db_sanitize=address$(comma)undefined -Dcrash_points=true)
	$(call configure,$(BUILD_TSAN),-Dtests=enabled -Db_sanitize=thread)
	@meson test -C $(BUILD) --print-errorlogs --no-suite long
	@meson test -C $(BUILD_SAN) --print-errorlogs --no-suite long --no-suite shape --no-suite kafka
	@meson test -C $(BUILD_TSAN) --print-errorlogs --no-suite long --suite threads

# The long programme: a million messages in every combination, 200 kills; real brokers under ASan.
test-long: packages-test build
	$(call configure,$(BUILD_SAN),-Db_sanitize=address$(comma)undefined -Dcrash_points=true)
	@meson test -C $(BUILD) --print-errorlogs --verbose --suite long
	@meson test -C $(BUILD_SAN) --print-errorlogs --suite kafka

# Only what real brokers are killed for: about an hour. One story, small: see CONTRIBUTING.md.
test-kafka-long: packages-test build
	@meson configure $(BUILD) -Dtests=enabled
	@meson test -C $(BUILD) --print-errorlogs --verbose --suite long-kafka

# What touches Kafka, with a librdkafka newer than the system's, built once from its source.
test-newer-librdkafka: packages-test
	@test/kafka/newer_librdkafka $(BUILD_NEWER) || test $$? = 77 # Skipped, and it has said why.

install: build
	@meson install -C $(BUILD)

# Figures, each beside its reference in the same run.
bench: packages-test
	$(call configure,$(BUILD_BENCH),-Dbench=true -Dtests=disabled -Dbuildtype=release)
	@ninja -C $(BUILD_BENCH) --quiet
	@bench/run.sh $(BUILD_BENCH)

# Each input boundary for FUZZ_SECONDS, from the saved corpus.
fuzz: packages-test
	$(call configure,$(BUILD_FUZZ),-Dfuzz=true -Dtests=disabled -Db_lundef=false \
		-Db_sanitize=address$(comma)undefined --native-file tools/clang.ini)
	@ninja -C $(BUILD_FUZZ) --quiet
	@tools/fuzz.sh $(BUILD_FUZZ) $(FUZZ_SECONDS)

clean:
	@rm -rf $(BUILD) $(BUILD_SAN) $(BUILD_TSAN) $(BUILD_BENCH) $(BUILD_FUZZ) $(BUILD_NEWER)

comma := ,
