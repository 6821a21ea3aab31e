"""That samples of perf are counted where they belong, from text made up here. bench/check runs it."""
from house import perf

TEXT = """    41
\tffffffff81000001 copy_user ([kernel.kallsyms])
\tffffffff81000002 tcp_v4_rcv ([kernel.kallsyms])
\tffffffff81000003 __sys_sendto ([kernel.kallsyms])
\t           2fd5e [unknown] (/build/libexec/adit/adit-worker)

    41
\tffffffff81000001 copy_user ([kernel.kallsyms])
\tffffffff81000003 __sys_sendto ([kernel.kallsyms])

    42
\tffffffff81000004 clear_page ([kernel.kallsyms])

    42
\t            1010 pump_data (/build/adit)

    42
\t            2010 [unknown] (/build/adit)

    42
\t            5010 aes_gcm (/usr/lib/libcrypto.so.3)

    42
\t            5010 memcpy (/usr/lib/libc.so.6)
"""


class MadeUp(perf.Program):
    def __init__(self, has_openssl):
        self.functions = [(0x1000, 'pump_data'), (0x2000, 'main')]
        self.ours, self.has_openssl = {'pump_data': 'tunnel'}, has_openssl


def failures():
    """What is wrong, one sentence each."""
    wrong, found = [], list(perf.chains(TEXT))

    def expect(what, got, wanted):
        if got != wanted:
            wrong.append(f'{what}: {got}, not {wanted}')

    expect('each sample has its process', [pid for pid, _ in found], [41, 41, 42, 42, 42, 42, 42])
    expect('each is counted once, by the first that fits', [
        perf.judged(chain, MadeUp(False)) for _, chain in found], [
        ('send, its receiving end', ''), ('send', ''), ('other kernel', ''), ('ours', 'tunnel'),
        ('ours', 'main'), ('libcrypto', ''), ('libc', '')])
    expect('what is not ours in a program with OpenSSL inside', perf.judged(
        found[4][1], MadeUp(True)), ('libcrypto', ''))
    line = perf.line_of('row', 'adit', 'worker', 2.5, {('send', ''): 3, ('ours', 'mux'): 1})
    expect('shares are percent of all', (line[:5], line[-2:]),
           (['row', 'adit', 'worker', '2.5', '75.0'], ['25.0', 'mux 25.0']))
    known = {column for column, _ in perf.KERNEL} | {'other kernel', 'libcrypto', 'libssl', 'libc', 'ours'}
    expect('every column can be told', known, set(perf.COLUMNS))
    return wrong
