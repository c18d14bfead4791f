"""Image `host`: the machine's programs. Which folders those are, and where python3 is.

An allow list, because nobody can list all that people keep on a machine. A Pod sees what
distributions put there. It sees nothing of people's, and nothing that is made later in a place
that is not on the list.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from pilotfish.node.oci.spec import DEFAULT_PATH, ImageConfig

REFERENCE = "docker.io/library/host:latest"

# Shown as they are, each as the lower layer of an overlay of its own.
PROGRAM_FOLDERS = (
    *("usr", "opt", "bin", "sbin", "lib", "lib32", "lib64", "libx32"),
    *("nix/store", "gnu/store"),
)

# Patterns below /etc: what programs read to run, and what packages put there. Files of these that
# not every user of the machine may read are left out.
ETC = (
    *("passwd", "group", "nsswitch.conf", "host.conf", "gai.conf", "login.defs", "shells"),
    *("services", "protocols", "networks", "rpc", "ethertypes", "netconfig"),
    *("localtime", "timezone", "locale.alias", "locale.conf", "locale.gen", "default/locale"),
    *("ld.so.cache", "ld.so.conf", "ld.so.conf.d", "ld-musl-*.path"),
    *("os-release", "*-release", "*_version", "issue"),
    *("ca-certificates", "ca-certificates.conf", "ssl/certs", "ssl/cert.pem", "ssl/openssl.cnf"),
    *("pki/ca-trust/extracted", "pki/tls/cert.pem", "pki/tls/certs", "pki/tls/openssl.cnf"),
    *("crypto-policies", "gnutls", "alternatives", "inputrc", "bash.bashrc", "profile"),
    *("mime.types", "mailcap", "magic", "magic.mime", "terminfo", "fonts", "security", "pam.d"),
    *("python*", "perl", "R", "php", "java*", "postgresql-common"),
    *("nginx/nginx.conf", "nginx/mime.types", "nginx/*_params", "nginx/fastcgi.conf"),
    *("nginx/koi-*", "nginx/win-utf", "nginx/modules-enabled", "nginx/modules-available"),
)

# Folders that programs expect, shown empty: of /var/lib and such, those that services have there
# come empty too, with their owner and mode.
EMPTY_FOLDERS = (
    *("boot", "dev", "etc", "home", "media", "mnt", "proc", "root", "run", "srv", "sys", "tmp"),
    *("var", "var/cache", "var/lib", "var/log", "var/spool", "var/tmp", "var/www", "var/opt"),
)
SERVICE_FOLDERS = ("var/cache", "var/lib", "var/log", "var/spool")

# Fresh in every container, in memory, writable also below a read-only root.
FRESH_FOLDERS = ("run",)


def python_folder() -> str:
    """Where this machine keeps python3: "" when a Pod finds it in the usual places."""
    usual = [Path(folder) / "python3" for folder in DEFAULT_PATH.split(":")]
    if any(path.exists() for path in usual):
        return ""
    # The interpreter itself, not a shim or a venv's link.
    for folder in (Path(sys.base_prefix) / "bin", Path(sys.executable).resolve().parent):
        if (folder / "python3").exists():
            return str(folder.resolve())
    found = shutil.which("python3")
    return str(Path(found).resolve().parent) if found else ""


def program_folders(python: str) -> tuple[str, ...]:
    """PROGRAM_FOLDERS, with that of a Python that somebody installed elsewhere ("" for none).

    A Python whose folder is a person's home, or holds one, is not shown.
    """
    prefix = Path(python).parent if python else Path("/usr")
    inside = any(prefix.is_relative_to(Path("/") / folder) for folder in PROGRAM_FOLDERS)
    is_home = prefix in (Path("/"), Path("/root")) or prefix.parent in (Path("/"), Path("/home"))
    if inside or is_home:
        return PROGRAM_FOLDERS
    return (*PROGRAM_FOLDERS, str(prefix).lstrip("/"))


def host_config() -> ImageConfig:
    folder = python_folder()
    path = f"{DEFAULT_PATH}:{folder}" if folder else DEFAULT_PATH
    return ImageConfig(env=(f"PATH={path}",))
