"""Names and tokens: who may have which, for how long, and what a revocation cuts."""
import json
import os
import signal
import subprocess
import threading
import time
import urllib.error
import urllib.request

from bystanders import Bystanders
from harness import (Agent, Program, Server, Stopwatch, check, children, echo, free_port_block, running,
                     wait_for)
from messages import Ended
from programs import Web
from raw_agent import RawAgent, refusal
from trouble import changed, refused_with
from visitors import Visitor, fetch
from web import tunnel

# Case 169, and more of its family.
RESERVED = """www api admin dashboard status mail smtp imap autodiscover autoconfig wpad isatap
    localhost broadcasthost ns1 mta-sts postmaster abuse security billing login
    dash connect hostmaster webmaster _acme-challenge _domainkey""".split()
# Case 170: what the grammar refuses outright.
INVALID = ["xn--pypal-4ve", "\u0440\u0430\u0443\u0440\u0430l", "pay\u200dpal", "A.B", "a.b", "Shop",
           "12345", "-a", "a-", "ab--c", "a_b", "a b", "1a"]


def grammar(context):
    """Reserved and impossible names are refused with their codes; the session lives on."""
    server = context.server
    agent = RawAgent(server).welcomed(server.token())
    try:
        number = 0
        for code, names in (("name_reserved", RESERVED), ("name_invalid", INVALID)):
            for name in names:
                number += 1
                answer = agent.bind(number, kind="http", name=name)
                check(answer["type"] == "refused" and answer["code"] == code,
                      f"{name!r} was answered {answer}")
                check(answer["next_action"], f"{answer}")
        answer = agent.bind(number + 1, kind="http", name="a" * 63)
        check(answer["type"] == "bound" and answer["name"] == "a" * 63, f"{answer}")
        context.say(f"{number} names refused in one session")
    finally:
        agent.end()
    for name in ("xn--a", "a" * 64, "A.B"):
        with running(Agent(server, 1, kind="http", name=name)) as (bad,):
            check(bad.process.wait() == 2, f"the agent took {name}: {bad.process.lines}")
    with running(Agent(server, 1, kind="http", name="login")) as (bad,):
        refused_with(bad, "name_reserved")


def two_claims(context):
    """Two accounts claim one name at the same moment, again and again: exactly one wins."""
    server = context.server
    tokens = [server.token("--account", account) for account in ("left", "right")]
    agents = [RawAgent(server).welcomed(token) for token in tokens]
    wins = [0, 0]
    try:
        for turn in range(40):
            answers, barrier = [None, None], threading.Barrier(2)

            def claim(side, turn=turn, answers=answers, barrier=barrier):
                barrier.wait()
                answers[side] = agents[side].bind(turn + 1, kind="http", name=f"race-{turn}")

            threads = [threading.Thread(target=claim, args=(side,))
                       for side in ((0, 1) if turn % 2 else (1, 0))]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join(10)
            kinds = sorted(answer["type"] for answer in answers)
            check(kinds == ["bound", "refused"], f"turn {turn}: {answers}")
            loser = next(answer for answer in answers if answer["type"] == "refused")
            check(loser["code"] == "name_taken", f"{loser}")
            wins[answers[1]["type"] == "bound"] += 1
        context.say(f"40 races: {wins[0]} to {wins[1]}")
    finally:
        for agent in agents:
            agent.end()


def held(context):
    """A name stays with its account after its agent has left, and after a restart of the server."""
    server = Server(context.build, context.server.sandbox)
    with running(server):
        mine, other = server.token(), server.token("--account", "other")
        with tunnel(server, name="mine", token=mine) as (_, agent):
            check(agent.url == f"https://mine.adit.localhost:{server.port}", agent.url)
            check(fetch(server, agent.host).status == 200, "no answer")
            check(refusal(server, other, kind="http", name="mine") == "name_taken", "taken away")
        wait_for("the agent is gone", lambda: fetch(
            server, f"mine.adit.localhost:{server.port}").status in (404, 502, 503))
        check(refusal(server, other, kind="http", name="mine") == "name_taken",
              "a stranger has the name a moment after its owner left")
        server.process.end()
        server.start()
        check(refusal(server, other, kind="http", name="mine") == "name_taken",
              "a restart of the server forgot whose name it is")
        with tunnel(server, name="mine", token=mine) as (_, agent):
            check(fetch(server, agent.host).status == 200, "its owner cannot have it again")


def drawn(context):
    """A name that we choose is a word one can read, and the same command gets the same again."""
    server = context.server
    token = server.token("--account", "drawer")
    with running(Web()) as (program,):
        names = []
        for _ in range(2):
            with running(Agent(server, program.port, kind="http", token=token)) as (agent,):
                names.append(agent.ready().name)
                check(fetch(server, agent.host).status == 200, "no answer")
                check(agent.url == f"https://{agent.name}.adit.localhost:{server.port}", agent.url)
        check(names[0] == names[1], f"{names}")
        check(names[0][0].isalpha() and names[0].count("-") == 2
              and names[0].rsplit("-")[-1].isdigit(), f"{names[0]}")
        with running(*[Agent(server, program.port, kind="http", token=token) for _ in range(3)]) as many:
            check(len({agent.ready().name for agent in many}) == 3, "two agents share a name")
        os_of_worker = server.role("adit-worker")
        with running(Agent(server, program.port, kind="http", token=token)) as (agent,):
            name = agent.ready().name
            os.kill(os_of_worker, signal.SIGKILL)
            agent.event("reconnected")
            wait_for("the name is served again",
                     lambda: fetch(server, agent.host).status == 200)
            check(agent.name == name, "another name")


def tokens(context):
    """Scopes, narrowing and the codes of each refusal (cases 173 to 176)."""
    server = context.server
    cases = [
        ("token_scope", server.token("--account", "test", "--allow", "tcp"),
         {"kind": "http", "name": "any"}),
        ("token_scope", server.token("--account", "test", "--names", "ab-*"),
         {"kind": "http", "name": "abc"}),
        (None, server.token("--account", "test", "--names", "ab-*"),
         {"kind": "http", "name": "ab-c"}),
        ("token_invalid", changed(server.token()), {}),
        ("token_expired", server.token("--account", "test", "--ttl", "1s"), {}),
    ]
    wide = server.token("--account", "test", "--names", "ab-*")
    narrow = subprocess.run([f"{server.build}/adit", "token", "narrow", "--names", "ab-one",
                             "--allow", "http"], input=wide + "\n", capture_output=True, text=True,
                            timeout=10, check=False, env={"PATH": os.environ["PATH"]})
    check(narrow.returncode == 0, f"narrow: {narrow.stderr}")
    narrow = narrow.stdout.strip()
    cases += [
        (None, narrow, {"kind": "http", "name": "ab-one"}),
        ("token_scope", narrow, {"kind": "http", "name": "ab-two"}),
        ("token_scope", narrow, {"kind": "tcp"}),
    ]
    widened = subprocess.run([f"{server.build}/adit", "token", "narrow", "--names", "*"],
                             input=narrow + "\n", capture_output=True, text=True, timeout=10,
                             check=False, env={"PATH": os.environ["PATH"]}).stdout.strip()
    if widened:  # a block only intersects: the first one still counts
        cases.append(("token_scope", widened, {"kind": "http", "name": "ab-two"}))
    cases.append(("token_invalid", narrow[:-43] + wide[-43:], {}))     # the tag of another
    cases.append(("token_invalid", wide[:-43] + narrow[-43:], {}))     # the last block stripped
    time.sleep(1.2)
    for code, token, bind in cases:
        got = refusal(server, token, **bind)
        check(got == code, f"{bind}: {got} instead of {code}")


def revoked(context):
    """Revocation cuts a live session in under a second, and outlives a restart."""
    server = Server(context.build, context.server.sandbox)
    with running(server):
        bystanders = Bystanders(server, 0.2)
        with running(bystanders):
            out = server.aditd("token", "create", "--account", "leaver", "--json")
            check(out.returncode == 0, f"{out.stderr}")
            made = json.loads(out.stdout)
            check(set(made) == {"id", "token", "account", "expires_at"}, f"{made}")
            with tunnel(server, token=made["token"]) as (_, agent):
                listed = json.loads(server.aditd("token", "list", "--json").stdout)
                listed = listed if isinstance(listed, list) else listed["tokens"]
                check(any(row["id"] == made["id"] and row["account"] == "leaver" for row in listed),
                      f"{listed}")
                check(made["token"] not in json.dumps(listed), "the list shows a token")
                watch = Stopwatch()
                out = server.aditd("token", "revoke", made["id"])
                check(out.returncode == 0, f"{out.stdout}{out.stderr}")
                event = agent.event("refused")
                took, own = watch.s(), watch.own_s()
                check(event["code"] == "token_revoked", f"{event}")
                check(agent.process.wait() == 3, "its exit status is not 3")
                check(own < 1, f"it took {took:.2f} s")
                context.say(f"cut {took * 1000:.0f} ms after `token revoke` began")
            check(refusal(server, made["token"]) == "token_revoked", "it logs in again")
            bystanders.finish(judges_time=False)
        check(server.aditd("token", "revoke", "0" * 32).returncode == 1, "an unknown id was revoked")
        server.process.end()
        out = server.aditd("token", "revoke", made["id"])
        check(out.returncode == 0, f"without a server: {out.stderr}")
        offline = json.loads(server.aditd("token", "create", "--account", "leaver", "--json").stdout)
        check(server.aditd("token", "revoke", offline["id"]).returncode == 0, "revoked without it")
        server.start()
        for one in (made, offline):
            check(refusal(server, one["token"]) == "token_revoked", "the restart forgot it")
        check(refusal(server, server.token("--account", "leaver")) is None, "a new token is refused")


def expired(context):
    """A token that expires while its tunnel lives: no request after that passes."""
    server = context.server
    token = server.token("--account", "brief", "--ttl", "8s")
    over = time.monotonic() + 8
    with tunnel(server, token=token, name="brief") as (program, agent):
        with Visitor(server, agent.host) as visitor:
            check(visitor.ask("/echo").status == 200, "no answer")
            time.sleep(max(0, over + 1.2 - time.monotonic()))
            before = len(program.requests)
            try:
                answer = visitor.ask("/echo")
                check(answer.status in (404, 502, 503), f"{answer.start!r}")
            except Ended as ended:
                check(ended.how in ("end", "reset"), f"{ended}")
            check(len(program.requests) == before, "a request passed after the end of the token")
        check(agent.process.wait() == 3, "the agent does not stop for good")
        check(agent.event("refused")["code"] == "token_expired", "another code")


def stale_owner(context):
    """An agent that does not answer gives its name up to another of the same account, soon."""
    server = context.server
    token = server.token("--account", "stale")
    with tunnel(server, name="stale", token=token) as (_, agent):
        check(fetch(server, agent.host).status == 200, "no answer")
        agent.process.send_signal(signal.SIGSTOP)
        watch = Stopwatch()
        with tunnel(server, name="stale", token=token) as (_, second):
            took = watch.s()
            check(watch.own_s() < 3.5, f"it took {took:.1f} s")
            check(fetch(server, second.host).status == 200, "the new one does not serve")
            context.say(f"a stale owner gave way after {took:.2f} s")


def control_killed(context):
    """control dies: every tunnel goes on, new ones begin, and it comes back with all it knew."""
    server = Server(context.build, context.server.sandbox)
    with running(server):
        bystanders = Bystanders(server, 0.2)
        with running(bystanders):
            made = json.loads(server.aditd("token", "create", "--account", "a", "--json").stdout)
            other = server.token("--account", "b")
            with tunnel(server, token=made["token"], name="mine-a") as (_, agent):
                old = server.role("adit-control")
                os.kill(old, signal.SIGKILL)
                check(fetch(server, agent.host).status == 200, "HTTP stopped with control")
                check(refusal(server, other, kind="http", name="mine-a") == "name_taken",
                      "names are up for grabs without control")
                wait_for("a new control",
                         lambda: children(server.process.pid).get("adit-control", old) != old)
                wait_for("it is ready", lambda: get(server, "/readyz")[0] == 200)
                check(fetch(server, agent.host).status == 200, "HTTP stopped with its return")
                out = server.aditd("token", "revoke", made["id"])
                check(out.returncode == 0, f"{out.stderr}")
                check(agent.event("refused")["code"] == "token_revoked", "not cut")
            check(refusal(server, other, kind="http", name="mine-a") == "name_taken",
                  "the lease was lost")
            bystanders.finish(judges_time=False)


def get(server, path, host=None):
    """(status, text) of the admin port; `host` as a browser would say it."""
    request = urllib.request.Request(f"http://127.0.0.1:{server.admin_port}{path}",
                                     headers={"Host": host} if host else {})
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()
    except OSError:
        return 0, ""


def metrics(text):
    """{metric with labels: value}, and that each has its HELP and TYPE."""
    values, told = {}, {}
    for line in text.splitlines():
        if line.startswith("# "):
            _, word, name, *rest = line.split(" ", 3)
            check(word in ("HELP", "TYPE") and rest, f"{line!r}")
            told.setdefault(name, set()).add(word)
        elif line:
            name, value = line.rsplit(" ", 1)
            check(name not in values, f"{name} twice")
            values[name] = float(value)
            check(told.get(name.split("{")[0]) == {"HELP", "TYPE"}, f"{name} is not explained")
    return values


def admin(context):
    """/healthz, /readyz, /metrics, status and reload."""
    server = context.server
    check(get(server, "/healthz")[0] == 200, "healthz")
    check(get(server, "/readyz")[0] == 200, "readyz")
    check(get(server, "/nothing")[0] == 404, "an unknown path")
    for host, status in (("evil.example", 421), ("shop.adit.localhost", 421), ("localhost:1", 200),
                         ("adit.localhost", 200), ("[::1]", 200)):
        check(get(server, "/metrics", host)[0] == status, f"{host} is not answered {status}")
    with tunnel(server) as (_, agent):
        def total(name):
            values = metrics(get(server, "/metrics")[1])
            return sum(value for key, value in values.items() if key.split("{")[0] == name)
        before = total("adit_http_requests_total")
        for _ in range(5):
            fetch(server, agent.host)
        wait_for("the requests are counted",
                 lambda: total("adit_http_requests_total") == before + 5)
        check(total("adit_up") == 1, "adit_up")
        check(total("adit_sessions") >= 1 and total("adit_tunnels") >= 1, "no session, no tunnel")
        status = server.aditd("status", "--json")
        check(status.returncode == 0 and status.stdout.count("\n") == 1, f"{status}")
        status = json.loads(status.stdout)
        roles = {role["name"]: role["pid"] for role in status["roles"]}
        check(roles.get("door") == server.role("adit-door"), f"{status}")
        check(roles.get("worker") == server.role("adit-worker"), f"{status}")
        people = server.aditd("status")
        check(people.returncode == 0 and "worker" in people.stdout, f"{people}")
    renewed = server.count("credentials_renewed")
    check(server.aditd("reload").returncode == 0, "reload")
    wait_for("the worker has read its certificate again",
             lambda: server.count("credentials_renewed") > renewed)


def commands(context):
    """Without a server: each command says so, or does its work; a second server is refused."""
    server = context.server
    empty = Server(context.build, server.sandbox)
    with running(empty):
        empty.process.end()
        for arguments, status in ((("status",), 1), (("reload",), 1), (("token", "list"), 0)):
            out = empty.aditd(*arguments)
            check(out.returncode == status, f"{arguments}: {out.returncode} {out.stdout}{out.stderr}")
            check(status == 0 or out.stderr.count("\n") == 1, f"{arguments}: {out.stderr!r}")
        check(empty.aditd("token", "create", "--account", "x").stdout.startswith("adit_"), "no token")
    second = subprocess.run(
        [f"{server.build}/aditd", "serve", "--data", server.data, "--https",
         f"127.0.0.1:{free_port_block(3)}", "--http", "127.0.0.1:0", "--admin", "127.0.0.1:0",
         "--tcp-ports", "1000-1001"],
        capture_output=True, text=True, timeout=20, check=False)
    check(second.returncode == 1 and second.stderr, f"a second server on the same data: {second}")
    check(fetch(server, f"nobody.adit.localhost:{server.port}").status == 404, "the first was hurt")


def configuration(context):
    """config check: unknown keys, wrong values, and what is fine."""
    build, folder = context.build, context.server.data
    cases = [
        ("domain: tunnels.example\nhttps: 127.0.0.1:8443\nhttp_mode: serve\n", 0, "ok"),
        ("domian: tunnels.example\n", 2, "domain"),
        ("domain: a.example\ndomain: b.example\n", 2, ":2:"),
        ("http_mode: maybe\n", 2, "http_mode"),
        ("https: [1, 2]\n", 2, "https"),
        ("domain: &a x\n", 2, ":1:"),
        ("\t: :\n", 2, ":1:"),
        ("workers: 99\n", 2, "workers"),
    ]
    for text, status, word in cases:
        path = f"{folder}/check.yaml"
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
        out = subprocess.run([f"{build}/aditd", "config", "check", path], capture_output=True,
                             text=True, timeout=10, check=False)
        said = out.stdout + out.stderr
        check(out.returncode == status, f"{text!r}: {out.returncode} {said!r}")
        check(word in said and path in said, f"{text!r}: {said!r}")


def supervisor_restarted(context):
    """SIGKILL of aditd and a new start: the same names, for the same accounts."""
    server = Server(context.build, context.server.sandbox)
    with running(server), running(Program(echo)) as (program,):
        token = server.token()
        with running(Agent(server, program.port, kind="http", name="again", token=token)) as (agent,):
            agent.ready()
            server.process.send_signal(signal.SIGKILL)
            server.process.wait()
            time.sleep(2.2)
            server.start()
            agent.event("reconnected", 40)
            check(refusal(server, server.token("--account", "b"), kind="http", name="again")
                  == "name_taken", "another account has it")


TESTS = [grammar, two_claims, held, drawn, tokens, expired, stale_owner, revoked, control_killed, admin, commands,
         configuration, supervisor_restarted]
