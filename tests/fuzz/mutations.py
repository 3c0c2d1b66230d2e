"""Damage to valid files, repeatable by its random generator."""

from __future__ import annotations

import copy
import json

ODD_NUMBERS = (0, -1, 1, 2**31 - 1, 2**31, 2**63 - 1, 2**64, 1e308, -1e308, 0.5, 1e-320)
ODD_VALUES = (
    *ODD_NUMBERS,
    None,
    True,
    "",
    "\0",
    "../../x",
    "nan",
    "é" * 300,
    [],
    {},
    [[]],
    {"": 0},
)
ODD_WORDS = (
    *(b"nan", b"inf", b"-inf", b"1e999", b"-1", b"0", b"1_0", b"0x10", b"1e-400", b"99999999999"),
    *(b"\xff", b"\x00", b"<!ENTITY a 'b'>", b"&a;", b"<", b">", b"]]>", b'"', b"{", b"[", b"../"),
    *("٣".encode(), b"\xef\xbb\xbf", b"\r", b"\n", b" ", b"/", b"\\"),
)
ODD_BYTES = (
    b"\x00" * 4,
    b"\xff" * 4,
    b"\xff\xff\xff\x7f",
    b"\x7f\xff\xff\xff",
    b"\x00\x00\xc0\x7f",
)


def damage_bytes(content, chance):
    """One to four random changes anywhere in a file, or its end cut off."""
    data = bytearray(content)
    for _ in range(chance.choice((1, 1, 1, 2, 4))):
        at = chance.randrange(len(data) + 1)
        kind = chance.randrange(8)
        if kind == 0:
            del data[at:]
        elif kind == 1 and at < len(data):
            data[at] ^= 1 << chance.randrange(8)
        elif kind == 2 and at < len(data):
            data[at] = chance.choice((0, 1, 127, 128, 255, chance.randrange(256)))
        elif kind == 3:
            data[at : at + 4] = chance.choice(ODD_BYTES)
        elif kind == 4:
            del data[at : at + chance.choice((1, 2, 7, 64))]
        elif kind == 5:
            data[at:at] = chance.choice(ODD_WORDS)
        elif kind == 6:
            start = chance.randrange(len(data) + 1)
            data[at:at] = data[start : start + chance.choice((1, 8, 100))]
        else:
            # In the first bytes, where headers are.
            at = chance.randrange(min(len(data), 64) + 1)
            data[at : at + 1] = bytes([chance.randrange(256)])
    return bytes(data)


def damage_text(content, chance):
    """A word, or a line, made another one; else as any file."""
    words = content.split(b" ")
    kind = chance.randrange(3)
    if kind == 0 and len(words) > 1:
        words[chance.randrange(len(words))] = chance.choice(ODD_WORDS)
        return b" ".join(words)
    if kind == 1:
        lines = content.split(b"\n")
        at = chance.randrange(len(lines))
        lines[at : at + 1] = chance.choice(([], [lines[at]] * 2, [b""], [b"0 0.5"], [b"\x00"]))
        return b"\n".join(lines)
    return damage_bytes(content, chance)


def damage_value(value, chance):
    """One node of a JSON value made another one, removed, or doubled."""
    value = copy.deepcopy(value)
    nodes = []

    def collect(node):
        if isinstance(node, dict | list):
            keys = node if isinstance(node, dict) else range(len(node))
            for key in keys:
                nodes.append((node, key))
                collect(node[key])

    collect(value)
    if not nodes or chance.randrange(50) == 0:
        return chance.choice(ODD_VALUES)
    # Nodes near the top as often as the many at the bottom.
    node, key = chance.choice(nodes[: chance.choice((12, len(nodes)))])
    kind = chance.randrange(6)
    if kind == 0:
        del node[key]
    elif kind == 1:
        other, there = chance.choice(nodes)
        node[key] = copy.deepcopy(other[there])
    elif kind == 2 and isinstance(node, list):
        node.append(copy.deepcopy(node[key]))
    elif kind == 3 and isinstance(node, dict):
        node[chance.choice(("", "schema", "id", "../x"))] = node[key]
    else:
        node[key] = copy.deepcopy(chance.choice(ODD_VALUES))
    return value


def damage_json(content, chance):
    """A value in it made another one; now and then the text itself."""
    if chance.randrange(3) == 0:
        return damage_bytes(content, chance)
    return json.dumps(damage_value(json.loads(content), chance)).encode()
