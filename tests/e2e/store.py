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


def path_of(server, suffix=""):
    return f"{server.data}/store/adit.db{suffix}"


def leases(server):
    """{name: in use?} as the database has it."""
    database = sqlite3.connect(f"file:{path_of(server)}?mode=ro", uri=True, timeout=5)
    with running(Closing(database)):
        return {name: until is None for name, until in
                database.execute("SELECT name, until_s FROM leases")}


class Closing:
    """Makes a thing with close() one with end()."""

    def __init__(self, thing):
        self.thing = thing
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
        path = path_of(server)
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


def backup(server, path):
    with running(Closing(sqlite3.connect(path_of(server), timeout=5))) as (source,):
        with running(Closing(sqlite3.connect(path))) as (target,):
            source.thing.backup(target.thing)


def refuses(server, word):
    """Every command that opens the database says this and changes nothing."""
    for words in (("token", "create", "--account", "c"), ("token", "list"),
                  ("token", "revoke", "0" * 32)):
        out = server.aditd(*words)
        check(out.returncode == 1 and word in out.stderr, f"{words}: {out}")


def lost(context):
    """The database vanishes, or is cut to nothing, beside a running server: no new one takes its
    place, no tunnel notices, and a backup that is put there is taken up by itself. Case 226."""
    server = Server(context.build, context.server.sandbox)
    with running(server), running(Web()) as (program,):
        token = server.token()
        gone = json.loads(server.aditd("token", "create", "--account", "gone", "--json").stdout)
        check(server.aditd("token", "revoke", gone["id"]).returncode == 0, "not revoked")
        with running(Agent(server, program.port, kind="http", name="stays", token=token)) as (agent,):
            agent.ready(20)
            wait_for("the name is written down", lambda: leases(server).get("stays"))
            for harm, word in ((os.unlink, "missing"), (lambda path: os.truncate(path, 0), "empty")):
                server.process.lines.clear()
                backup(server, f"{server.data}/backup")
                if word == "empty":
                    os.kill(server.role("adit-control"), signal.SIGKILL)
                harm(path_of(server))
                wait_for("control says so", lambda word=word: any(
                    "store_failed" in line and word in line for line in server.process.lines), 20)
                refuses(server, word)
                if word == "missing":
                    out = server.aditd("status")
                    check(out.returncode == 1 and word in out.stderr, f"status: {out}")
                check(fetch(server, agent.host).status == 200, "the tunnel noticed")
                check(refusal(server, gone["token"]) == "token_revoked", "a revocation is forgotten")
                check(refusal(server, token, kind="http", name="fresh") is None, "no new tunnel")
                for beside in ("-wal", "-shm"):
                    if os.path.exists(path_of(server, beside)):
                        os.unlink(path_of(server, beside))
                os.rename(f"{server.data}/backup", path_of(server))
                wait_for("control is back", lambda: get(server, "/readyz")[0] == 200, 20)
                wait_for("and writes", lambda: leases(server).get("stays"))
                check(refusal(server, gone["token"]) == "token_revoked", "not in the backup")
                out = server.aditd("token", "revoke", gone["id"])
                check("applies it" in out.stdout, f"{out}")
            check("disconnected" not in " ".join(agent.process.lines), "the agent noticed")
        check(all(name.startswith("adit.db") for name in os.listdir(f"{server.data}/store")),
              "control may reach more than the database")
        server.process.end()
        os.unlink(path_of(server))
        try:
            server.start()
        except Failure as failure:
            check("missing" in str(failure) and "adit.db.mark" in str(failure), f"{failure}")
        else:
            raise Failure("it made a new database in the place of the lost one")
        os.unlink(path_of(server, ".mark"))
        server.start()
        check(refusal(server, token) is None, "it does not begin anew")


def read_only(context):
    """A database folder that nobody may write to: a clear error, not a server that forgets."""
    server = Server(context.build, context.server.sandbox)
    with running(server):
        server.token()
        server.process.end()
        folder = f"{server.data}/store"
        bind = subprocess.run(["mount", "--bind", folder, folder], capture_output=True, check=False)
        if bind.returncode != 0:
            context.say("left out: nothing may be mounted here")
            return
        try:
            subprocess.run(["mount", "-o", "remount,bind,ro", folder], check=True)
            out = server.aditd("token", "create", "--account", "c")
            check(out.returncode == 1 and "read-only" in out.stderr.lower(), f"{out}")
            try:
                server.start()
            except Failure as failure:
                check("read-only" in str(failure).lower(), f"{failure}")
            else:
                raise Failure("it serves from a database that it cannot write")
        finally:
            subprocess.run(["umount", folder], check=True)
        server.start()


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


TESTS = [control_again_and_again, disk_full, damaged, lost, read_only, control_stopped]
