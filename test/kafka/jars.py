"""Apache Kafka's published jars, fetched once by Maven, and an archive of their classes.

The archive (class data sharing) is made by one broker's first life; with it a broker starts in
half the time. Both are kept outside of the tree.
"""
import fcntl
import os
import shutil
import subprocess
import sys
import tempfile

NEWEST = "4.1"
VERSIONS = {"3.9": "3.9.2", "4.1": "4.1.1", "4.0": "4.0.1"}
LOGGER = "1.7.36"  # slf4j-simple: one way to write log lines for every version.
FETCH_SECONDS = 900
JAVA_LEAST = 17

POM = """<project xmlns="http://maven.apache.org/POM/4.0.0">
<modelVersion>4.0.0</modelVersion><groupId>test</groupId><artifactId>kafka-jars</artifactId>
<version>1</version><packaging>pom</packaging><dependencies>{}</dependencies></project>
"""
DEPENDENCY = """
<dependency><groupId>{}</groupId><artifactId>{}</artifactId><version>{}</version></dependency>"""


def wanted(version):
    return "".join(DEPENDENCY.format(*names) for names in (
        ("org.apache.kafka", "kafka_2.13", version), ("org.apache.kafka", "kafka-tools", version),
        ("org.slf4j", "slf4j-simple", LOGGER)))


class Absent(Exception):
    """What a broker needs cannot be had on this machine."""


def java_version():
    try:
        said = subprocess.run(["java", "-XshowSettings:properties", "-version"], text=True,
                              capture_output=True, check=True, timeout=60).stderr
    except (OSError, subprocess.SubprocessError) as error:
        raise Absent("no Java here (tools/install_packages.sh kafka)") from error
    found = {key.strip(): value.strip() for key, _, value in
             (line.partition("=") for line in said.splitlines())}
    if int(found.get("java.specification.version", "0").split(".")[0]) < JAVA_LEAST:
        raise Absent(f"Java {JAVA_LEAST} or newer is wanted, here is {found.get('java.version')}")
    return found.get("java.vm.version", "unknown").replace("/", "_")


def cache():
    place = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return os.environ.get("PAYONCE_KAFKA_JARS") or os.path.join(place, "payonce", "kafka")


class Jars:
    """The class path of one version."""

    def __init__(self, version, folder, java):
        self.version, self.folder = version, folder
        self.archive = os.path.join(folder, f"classes-{java}.jsa")

    def path(self):
        return ":".join(os.path.join(self.folder, "libs", name)
                        for name in sorted(os.listdir(os.path.join(self.folder, "libs")))
                        if name.endswith(".jar"))

    def java(self, memory, make_archive=None):
        """A java command line that lacks its class."""
        flags = ["-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", f"-Xmx{memory}", "-Xms32m",
                 "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
                 "-Dorg.slf4j.simpleLogger.showDateTime=true",
                 "-Dorg.slf4j.simpleLogger.dateTimeFormat=HH:mm:ss.SSS"]
        if make_archive:
            flags.append(f"-XX:ArchiveClassesAtExit={make_archive}")
        elif os.path.exists(self.archive):
            flags.append(f"-XX:SharedArchiveFile={self.archive}")
        return ["java", *flags, "-cp", self.path()]


def download(version, folder):
    """Into a folder beside it, renamed when it is whole."""
    if shutil.which("mvn") is None:
        raise Absent("no Maven here to fetch Kafka's jars (tools/install_packages.sh kafka)")
    print(f"fetching Apache Kafka {version} into {folder}, once", file=sys.stderr)
    fresh = tempfile.mkdtemp(prefix="fetching-", dir=os.path.dirname(folder))
    try:
        with open(os.path.join(fresh, "pom.xml"), "w", encoding="utf-8") as file:
            file.write(POM.format(wanted(version)))
        command = ["mvn", "-q", "-B", "-f", os.path.join(fresh, "pom.xml"),
                   "dependency:copy-dependencies", f"-DoutputDirectory={fresh}/libs",
                   "-DincludeScope=runtime", "-DexcludeArtifactIds=slf4j-reload4j"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=FETCH_SECONDS,
                              check=False)
        if done.returncode != 0:
            said = [line for line in (done.stdout + done.stderr).splitlines() if "ERROR" in line]
            raise Absent(f"Maven could not fetch Kafka {version}: {' '.join(said[:1])[:300]}")
        os.rename(fresh, folder)
    except subprocess.TimeoutExpired as error:
        raise Absent(f"Kafka {version} did not come within {FETCH_SECONDS} s") from error
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def fetch(version):
    """The jars of that version (4.1: the newest known here), fetched if they are not there."""
    java = java_version()
    version = VERSIONS.get(version, version)
    folder = os.path.join(cache(), version)
    os.makedirs(cache(), exist_ok=True)
    with open(folder + ".lock", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not os.path.isdir(folder):
            download(version, folder)
        jars = Jars(version, folder, java)
        if not os.path.exists(jars.archive):
            import cluster
            cluster.make_archive(jars)
        return jars
