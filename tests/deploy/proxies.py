"""The example proxies, for real: each on free ports, with a certificate of its own, in front of two web processes of an image."""

import os
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests.certificates import certificate
from tests.deploy.shipped import program, text
from tests.left_out import NGINX
from tests.processes.running import wait_for

Process = subprocess.Popen[bytes]
PATIENCE_S = 30


@dataclass
class WebProcess:
    """One of the web processes behind the proxy, replaceable on its port."""

    image: Path
    port: int
    env: Mapping[str, str]
    process: Process | None = None

    @property
    def url(self) -> str:
        """Where it answers, past the proxy."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start it."""
        command = [sys.executable, "manage.py", "serve", "--port", str(self.port)]
        self.process = subprocess.Popen(command, cwd=self.image, env=self.env)

    def answers(self) -> bool:
        """Whether it serves."""
        return answers(f"{self.url}/health/live")

    def stop(self) -> int:
        """SIGTERM, and its exit code."""
        assert self.process is not None
        self.process.terminate()
        return self.process.wait(PATIENCE_S)


@dataclass(frozen=True)
class Proxy:
    """A proxy that runs: its URLs, and who vouches for it."""

    url: str
    plain_url: str
    trust: ssl.SSLContext

    def client(self, **more: str) -> httpx.Client:
        """A caller who believes its certificate."""
        return httpx.Client(base_url=self.url, verify=self.trust, headers=more, timeout=PATIENCE_S)


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on now."""
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


def answers(url: str) -> bool:
    """Whether somebody answers there, whatever it is."""
    try:
        httpx.get(url, verify=False)
    except httpx.TransportError:
        return False
    return True


def substituted(original: str, changes: Mapping[str, str]) -> str:
    """The text with each change made. AssertionError if one finds nothing to change: the example is another now."""
    for old, new in changes.items():
        assert old in original, old
        original = original.replace(old, new)
    return original


def write_nginx(folder: Path, http: int, https: int, upstreams: Sequence[int]) -> Path:
    """nginx's own configuration around the example, with ports and files of this machine."""
    trusted, key = certificate(folder, "localhost", "127.0.0.1")
    changes = {
        "listen 80;": f"listen 127.0.0.1:{http};",
        "listen 443 ssl http2;": f"listen 127.0.0.1:{https} ssl http2;",
        # Not every machine has IPv6.
        "listen [::]:80;": "",
        "listen [::]:443 ssl http2;": "",
        "server_name console.example.org;": "server_name localhost;",
        "/etc/ssl/certs/console.example.org.pem": str(trusted),
        "/etc/ssl/private/console.example.org.key": str(key),
        "/var/log/nginx/agentconsole.log": str(folder / "access.log"),
        "127.0.0.1:8000": f"127.0.0.1:{upstreams[0]}",
        "127.0.0.1:8001": f"127.0.0.1:{upstreams[1]}",
    }
    (folder / "agentconsole.conf").write_text(substituted(text("nginx/agentconsole.conf"), changes), encoding="utf-8")
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    lines = [
        # Root's workers would become another user, who can't read here.
        "user root;" if os.geteuid() == 0 else "",
        f"daemon off; worker_processes 1; pid {folder}/pid; error_log stderr warn;",
        "events {} http {",
        *(f"{kind}_temp_path {folder}/{kind};" for kind in kinds),
        f"include {folder}/agentconsole.conf; }}",
    ]
    path = folder / "nginx.conf"
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def nginx_command(config: Path, *more: str) -> list[str]:
    """nginx, on a configuration."""
    return [NGINX, "-e", "stderr", "-p", str(config.parent), "-c", str(config), *more]


@contextmanager
def nginx(folder: Path, upstreams: Sequence[int]) -> Iterator[Proxy]:
    """nginx with deploy/nginx/agentconsole.conf."""
    http, https = free_ports(2)
    config = write_nginx(folder, http, https, upstreams)
    with running(nginx_command(config), f"https://localhost:{https}/health/live"):
        trust = ssl.create_default_context(cafile=str(folder / "certificate.pem"))
        yield Proxy(f"https://localhost:{https}", f"http://localhost:{http}", trust)


@contextmanager
def caddy(folder: Path, upstreams: Sequence[int]) -> Iterator[Proxy]:
    """Caddy with deploy/caddy/Caddyfile, its certificate from an authority of its own."""
    http, https = free_ports(2)
    own = ["admin off", f"http_port {http}", f"https_port {https}", "local_certs", "skip_install_trust"]
    own += ["persist_config off"]
    changes = {"\tgrace_period": "\t" + "\n\t".join([*own, f"storage file_system {folder}"]) + "\n\tgrace_period"}
    config = folder / "Caddyfile"
    config.write_text(substituted(text("caddy/Caddyfile"), changes), encoding="utf-8")
    env = os.environ | caddy_variables(upstreams)
    command = [str(program("caddy")), "run", "--adapter", "caddyfile", "--config", str(config)]
    with running(command, f"https://localhost:{https}/health/live", env=env):
        trust = ssl.create_default_context(cafile=str(folder / "pki/authorities/local/root.crt"))
        yield Proxy(f"https://localhost:{https}", f"http://localhost:{http}", trust)


def caddy_variables(upstreams: Sequence[int]) -> dict[str, str]:
    """What the Caddyfile asks its environment for."""
    listed = " ".join(f"127.0.0.1:{port}" for port in upstreams)
    return {"CONSOLE_HOST": "localhost", "CONSOLE_UPSTREAMS": listed}


@contextmanager
def running(command: list[str], url: str, env: Mapping[str, str] | None = None) -> Iterator[None]:
    """A process that answers at a URL; it is killed afterwards."""
    process = subprocess.Popen(command, env=env, stdin=subprocess.DEVNULL)
    try:
        wait_for(f"{command[0]} answers", lambda: answers(url) or process.poll() is not None)
        assert process.poll() is None
        yield
    finally:
        process.terminate()
        try:
            process.wait(2)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
