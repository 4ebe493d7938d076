"""Certificates of our own and users, for brokers that ask who is there."""
import os
import subprocess

USERS = {"admin": "admin-secret", "payonce": "payonce-secret"}
MECHANISMS = ("SCRAM-SHA-256", "SCRAM-SHA-512")
MODULES = "org.apache.kafka.common.security"


def openssl(*arguments, cwd):
    subprocess.run(["openssl", *arguments], cwd=cwd, check=True, capture_output=True)


def make_certificates(folder):
    """tls/: ca.pem, broker.pem (key and chain), client.pem and client-key.pem, stranger-ca.pem."""
    place = os.path.join(folder, "tls")
    os.makedirs(place, exist_ok=True)
    key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30")
    for name in ("ca", "stranger-ca"):
        openssl("req", "-x509", *key, "-subj", f"/CN=payonce test {name}", "-keyout",
                f"{name}-key.pem", "-out", f"{name}.pem", cwd=place)
    for name in ("broker", "client"):
        openssl("req", *key[:-2], "-subj", f"/CN={name}", "-keyout", f"{name}-key.pem",
                "-out", f"{name}.csr", cwd=place)
        with open(os.path.join(place, f"{name}.ext"), "w", encoding="ascii") as file:
            file.write("subjectAltName=DNS:localhost,IP:127.0.0.1\n")
        openssl("x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca-key.pem",
                "-CAcreateserial", "-days", "30", "-extfile", f"{name}.ext", "-out", f"{name}.pem",
                cwd=place)
    with open(os.path.join(place, "keystore.pem"), "w", encoding="ascii") as store:
        for name in ("broker-key.pem", "broker.pem", "ca.pem"):
            with open(os.path.join(place, name), encoding="ascii") as file:
                store.write(file.read())
    os.chmod(os.path.join(place, "keystore.pem"), 0o600)


def scram_arguments():
    return [word for mechanism in MECHANISMS for user, password in USERS.items()
            for word in ("--add-scram", f"{mechanism}=[name={user},password={password}]")]


def broker_settings(folder):
    place = os.path.join(folder, "tls")
    users = " ".join(f'user_{user}="{password}"' for user, password in USERS.items())
    settings = {
        "ssl.keystore.type": "PEM",
        "ssl.keystore.location": os.path.join(place, "keystore.pem"),
        "ssl.truststore.type": "PEM",
        "ssl.truststore.location": os.path.join(place, "ca.pem"),
        "ssl.client.auth": "requested",
        "sasl.enabled.mechanisms": ",".join(("PLAIN",) + MECHANISMS),
        "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        # The plain listener and the brokers among themselves; a TLS client without a name, too.
        "super.users": "User:admin;User:ANONYMOUS",
    }
    for listener in ("sasl", "sasl_tls"):
        settings[f"listener.name.{listener}.plain.sasl.jaas.config"] = (
            f"{MODULES}.plain.PlainLoginModule required {users};")
        for mechanism in MECHANISMS:
            settings[f"listener.name.{listener}.{mechanism.lower()}.sasl.jaas.config"] = (
                f"{MODULES}.scram.ScramLoginModule required;")
    return settings
