"""The agent's network changes under it: in network namespaces of the test's own, so only as root."""
import contextlib
import json
import os
import shutil
import subprocess
import tempfile
import time

from harness import Failure, Process, Stopwatch, check, running, wait_for

NAME = "connect.tunnels.test"


class Net:
    """A network and mounts of its own, as long as a sleeping process holds them."""

    def __init__(self):
        self.holder = subprocess.Popen(["unshare", "--net", "--mount", "sleep", "120"])
        mine = os.readlink("/proc/self/ns/net")
        try:
            wait_for("another network", lambda: os.readlink(self.path) != mine, 5)
            self.run("ip", "link", "set", "lo", "up")
        except Failure:
            self.end()
            raise

    @property
    def path(self):
        return f"/proc/{self.holder.pid}/ns/net"

    def inside(self, *arguments):
        return ["nsenter", "-t", str(self.holder.pid), "--net", "--mount", "--", *arguments]

    def run(self, *arguments):
        out = subprocess.run(self.inside(*arguments), capture_output=True, text=True, timeout=10,
                             check=False)
        if out.returncode != 0:
            raise Failure(f"{arguments}: {out.stderr.strip()}")

    def end(self):
        self.holder.kill()
        self.holder.wait(5)


def wire(near, far):
    """One cable; each end has an address."""
    near.run("ip", "link", "add", "v0", "type", "veth", "peer", "name", "v1", "netns",
             str(far.holder.pid))
    near.run("ip", "addr", "add", "10.9.0.1/24", "dev", "v0")
    near.run("ip", "link", "set", "v0", "up")
    far.run("ip", "addr", "add", "10.9.0.2/24", "dev", "v1")
    far.run("ip", "link", "set", "v1", "up")


def told(agent, event):
    return sum(f'"event":"{event}"' in line for line in list(agent.lines))


def follow(agent, event, count, seconds):
    """Waits for the event for the `count`th time; how long that took."""
    watch = Stopwatch()
    wait_for(f"{event}, number {count}; it said {agent.lines[-2:]}",
             lambda: told(agent, event) >= count)
    check(watch.own_s() < seconds, f"{event}, number {count}, only after {watch.s():.1f} s")
    return watch.s()


def server_start(context, net, folder):
    flags = [] if context.server.sandbox else ["--no-sandbox"]
    server = Process(net.inside(f"{context.build}/aditd", "serve", "--data", folder, "--domain",
                                "tunnels.test", "--https", "10.9.0.1:443", "--http", "10.9.0.1:80",
                                *flags))
    wait_for("the server", lambda: any("worker_ready" in line for line in list(server.lines)), 20)
    return server


def agent_start(context, net, folder):
    hosts = f"{folder}/hosts"
    with open(hosts, "w", encoding="ascii") as f:
        f.write(f"127.0.0.1 localhost\n10.9.0.1 {NAME}\n")
    os.chmod(hosts, 0o644)
    net.run("mount", "--bind", hosts, "/etc/hosts")
    token = subprocess.run([f"{context.build}/aditd", "token", "create", "--account", "roamer",
                            "--data", folder], capture_output=True, text=True, timeout=20, check=True)
    flags = [] if context.server.sandbox else ["--no-sandbox"]
    return Process(net.inside(f"{context.build}/adit", "http", "3000", "--json", *flags),
                   env={"PATH": os.environ["PATH"], "ADIT_TOKEN": token.stdout.strip(),
                        "ADIT_CA": f"{folder}/ca.pem", "ADIT_SERVER": f"{NAME}:443"})


def roam(context, near, far, folder):
    with running(server_start(context, near, folder)), \
         running(agent_start(context, far, folder)) as (agent,):
        follow(agent, "ready", 1, 10)
        far.run("ip", "addr", "flush", "dev", "v1")
        far.run("ip", "addr", "add", "10.9.0.7/24", "dev", "v1")
        took = follow(agent, "reconnected", 1, 8)
        context.say(f"another address: back after {took:.1f} s")
        far.run("ip", "link", "set", "v1", "down")
        follow(agent, "disconnected", 2, 8)
        far.run("ip", "link", "set", "v1", "up")
        took = follow(agent, "reconnected", 2, 5)
        context.say(f"another cable: back after {took:.1f} s")
        check(told(agent, "ready") == 1, "the address of the tunnel did not stay")
        event = json.loads(next(line for line in agent.lines if "ready" in line))
        check(event["url"] == f"https://{event['name']}.tunnels.test", f"{event}")


def changes(context):
    """Another address, then a cable that is pulled and put back: at once, and with the same name."""
    if os.geteuid() != 0 or not all(map(shutil.which, ("ip", "unshare", "nsenter", "mount"))):
        context.say("not tried: it needs root and iproute2")
        return
    with contextlib.ExitStack() as stack:
        try:
            near, far = (stack.enter_context(running(Net()))[0] for _ in range(2))
            wire(near, far)
        except Failure as failure:
            context.say(f"not tried: this machine gives no networks ({failure})")
            return
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="adit-e2e-"))
        os.chmod(folder, 0o755)
        roam(context, near, far, folder)


TESTS = [changes]
