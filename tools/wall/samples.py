"""The bad samples: each says in its first lines which rule must refuse it.

    /* wall: RULE as=src/wire/sample.c expect=TEXT
     * why it is bad */

`as` is the place it stands for; `expect` what the diagnosis must contain (and, after
a |, what it may bring with it); for
compiler rules `by=gcc` or `by=clang` where only one of them has the diagnosis.
"""
import os
import re

from tree import HERE

HEAD = re.compile(r"wall:\s+(\S+)((?:\s+\w+=\S+)*)")


class Sample:
    def __init__(self, name, text):
        self.name = name
        self.text = text
        match = HEAD.search(text[:400])
        if not match:
            raise SystemExit("tools/wall/bad/%s: no line 'wall: RULE as=PATH'" % name)
        self.rule = match.group(1)
        fields = dict(field.split("=", 1) for field in match.group(2).split())
        self.as_path = fields["as"]
        self.expect = fields.get("expect", "")
        self.by = fields.get("by", "gcc,clang").split(",")

    @property
    def path(self):
        return os.path.join(HERE, "bad", self.name)


def load():
    folder = os.path.join(HERE, "bad")
    samples = []
    for name in sorted(os.listdir(folder)):
        with open(os.path.join(folder, name), encoding="utf-8") as file:
            samples.append(Sample(name, file.read()))
    return samples
