"""What the haproxies of a run are told. One thread each: it measures best on two cores, and Adit's
sides have one each too."""
import resource

COMMON = """
global
    nbthread 1
    maxconn {connections}
    ssl-default-bind-options ssl-min-ver TLSv1.3
    ssl-default-bind-ciphersuites TLS_AES_128_GCM_SHA256
    ssl-default-server-ciphersuites TLS_AES_128_GCM_SHA256
    tune.h2.initial-window-size 1048576
    tune.h2.max-concurrent-streams 256
defaults
    timeout connect 5s
    timeout client 300s
    timeout server 300s
    timeout http-keep-alive 300s
    http-reuse always
"""

ONE = """    mode {mode}
frontend in
{binds}    default_backend out
backend out
    server out {onward}
"""
DESCRIPTORS = 2  # for each connection that a haproxy allows


def text(mode, binds, onward):
    """All that one is told: it takes what comes in at `binds` on to `onward`."""
    most = (resource.getrlimit(resource.RLIMIT_NOFILE)[1] - 200) // DESCRIPTORS
    return COMMON.format(connections=min(most, 25000)) + ONE.format(
        mode=mode, binds=''.join(f'    bind {bind}\n' for bind in binds), onward=onward)
