"""What must survive: control killed again and again, a disk that is full, a damaged database."""
import json
import os
import signal
import sqlite3
import subprocess
import time

from harness import Agent, Failure, Server, Stopwatch, children, check, running, wait_for
from names import get
from programs import Web
from raw_agent import refusal
from visitors import fetch

AGENTS = 12
KILLS = 15


def leases(server):
    """{name: in use?} as the database has it."""
    database = sqlite3.connect(f"file:{server.data}/adit.db?mode=ro", uri=True, timeout=5)
    with running(Closing(database)):
        return {name: until is None for name, until in
                database.execute("SELECT name, until_s FROM leases")}


class Closing:
    """Makes a thing with close() one with end()."""

    def __init__(self, thing):
        self.end = thing.close


def control_again_and_again(context):
    """kill -9 of control at any moment, while names come and go: no tunnel notices, and at the end
    the database says what is."""
    server = Server(context.build, context.server.sandbox)
    with running(server), running(Web()) as (program,):
        token = server.token()
        staying = [Agent(server, program.port, kind="http", name=f"stay-{i}", token=token)
                   for i in range(AGENTS)]
        with running(*staying):
            for agent in staying:
                agent.ready()
            going = []
            for i in range(KILLS):
                with running(Agent(server, program.port, kind="http", name=f"go-{i}",
                                   token=token)) as (agent,):
                    agent.ready()
                    going.append(agent.name)
                pid = children(server.process.pid).get("adit-control")
                if pid:
                    os.kill(pid, signal.SIGKILL)
                check(fetch(server, staying[i % AGENTS].host).status == 200, "a tunnel noticed")
            wait_for("control is back", lambda: get(server, "/readyz")[0] == 200, 20)
            wait_for("every name in use is written down", lambda: all(
                leases(server).get(agent.name) for agent in staying))
            held = leases(server)
            check(not any(held.get(name) for name in going), f"in use, and gone: {held}")
            for agent in staying:
                check("disconnected" not in " ".join(agent.process.lines), "an agent noticed")
            check(refusal(server, server.token("--account", "b"), kind="http", name=going[0])
                  in ("name_taken", None), "an odd refusal")
        context.say(f"{server.count('role_started name=control')} controls")


def disk_full(context):
    """A data folder without room: tunnels run and begin, failures are told, and what waited is
    written down once there is room. Case 227."""
    server = Server(context.build, context.server.sandbox)
    with running(server), running(Web()) as (program,):
        token = server.token()
        server.process.end()
        if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "none", server.data],
                          capture_output=True, check=False).returncode != 0:
            context.say("left out: nothing may be mounted here")
            return
        try:
            server.start()
            token = server.token()
            with open(f"{server.data}/filling", "wb", buffering=0) as filling:
                try:
                    while filling.write(bytes(4096)):
                        pass
                except OSError:
                    pass
            agents = [Agent(server, program.port, kind="http", name=f"full-{i}", token=token)
                      for i in range(AGENTS)]
            with running(*agents):
                for agent in agents:
                    agent.ready()
                    check(fetch(server, agent.host).status == 200, "no tunnel on a full disk")
                out = server.aditd("token", "create", "--account", "c")
                check(out.returncode == 1 and "full" in out.stderr + out.stdout, f"{out}")
                wait_for("control says so", lambda: server.count("store_failed") > 0)
                check(get(server, "/readyz")[0] == 200, "not ready")
                os.kill(server.role("adit-control"), signal.SIGKILL)
                check(fetch(server, agents[0].host).status == 200, "control's end was noticed")
                os.unlink(f"{server.data}/filling")
                wait_for("all is written down", lambda: all(
                    leases(server).get(agent.name) for agent in agents), 20)
                check(get(server, "/readyz")[0] == 200, "not ready afterwards")
        finally:
            server.process.end()
            subprocess.run(["umount", server.data], check=True)


def damaged(context):
    """A database that is damaged: the server does not start, and one sentence says why."""
    server = Server(context.build, context.server.sandbox)
    with running(server):
        server.token()
        server.process.end()
        path = f"{server.data}/adit.db"
        for beside in ("-wal", "-shm"):
            if os.path.exists(path + beside):
                os.unlink(path + beside)
        size = os.path.getsize(path)
        with open(path, "r+b") as file:
            file.seek(size // 2)
            file.write(b"\xa5" * (size // 4))
        watch = Stopwatch()
        try:
            server.start()
        except Failure as failure:
            check("damaged" in str(failure), f"{failure}")
        else:
            raise Failure("it serves from a damaged database")
        check(watch.own_s() < 5, "it took too long to say so")
        out = server.aditd("token", "list")
        check(out.returncode == 1 and "damaged" in out.stderr, f"{out}")


def status_of(server):
    return json.loads(server.aditd("status", "--json").stdout)


def control_stopped(context):
    """SIGSTOP of control: tunnels go on and begin; once it runs again it has missed nothing."""
    server = Server(context.build, context.server.sandbox)
    with running(server), running(Web()) as (program,):
        token = server.token()
        pid = server.role("adit-control")
        os.kill(pid, signal.SIGSTOP)
        try:
            with running(Agent(server, program.port, kind="http", name="calm", token=token)) as (agent,):
                agent.ready()
                check(fetch(server, agent.host).status == 200, "no tunnel without control")
                os.kill(pid, signal.SIGCONT)
                wait_for("the name is written down", lambda: leases(server).get("calm"))
                check(status_of(server)["names"] == 1, "status")
        finally:
            os.kill(pid, signal.SIGCONT)


TESTS = [control_again_and_again, disk_full, damaged, control_stopped]
