#!/usr/bin/env python3
"""Embeds a file in a program: writes a C file that defines one `struct adit_bytes` constant.

usage: embed.py SYMBOL HEADER INPUT OUTPUT

The C file includes HEADER, which declares SYMBOL, so the two cannot drift apart. It needs no
raw-memory region: the bytes are an array, the constant is a view of all of it.
"""
import sys

PER_LINE = 16


def main():
    symbol, header, source, target = sys.argv[1:]
    with open(source, 'rb') as file:
        data = file.read()
    if not data:
        sys.exit(f'embed: {source} is empty')
    lines = [
        f'/* Made from {source.rsplit("/", 1)[-1]} by tools/embed; do not edit. */',
        f'#include "{header}"',
        '',
        'static const uint8_t content[] = {',
    ]
    for at in range(0, len(data), PER_LINE):
        lines.append('    ' + ' '.join(f'0x{byte:02x},' for byte in data[at:at + PER_LINE]))
    lines += [
        '};',
        '',
        f'const struct adit_bytes {symbol} = {{.ptr = content, .len = sizeof content}};',
        '',
    ]
    with open(target, 'w', encoding='ascii') as file:
        file.write('\n'.join(lines))


main()
