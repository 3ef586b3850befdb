"""Reads a manifest that omt-push wrote, with nothing but the standard library and the description of the format, and
compares it with what lies at the destination and in the folder that it was unpacked into.

    python3 check.py done.jsonl DEST OUT

Prints one JSON object of what was counted; every disagreement is a line on standard error and status 1.
"""

import hashlib
import json
import os
import sys

ORDER = ["manifest", "edit", "installation", "migrator", "freeze", "plan", "user", "review", "address", "removal", "fact",
         "table", "file", "receipt", "check", "finding", "waiver", "end"]
AREAS = ["database", "template", "document", "service", "attachment"]
wrong = []


def complain(text, *args):
    wrong.append(text % args)


def digest_of(path):
    h = hashlib.sha256()
    with open(path, "rb") as f:
        for block in iter(lambda: f.read(1 << 20), b""):
            h.update(block)
    return h.hexdigest()


def disk_name(rec):
    """The bytes that a file is called by: its path, or with "raw" the bytes that %XX stands for."""
    path = rec["path"]
    if not rec.get("raw"):
        return path.encode()
    out, i, b = bytearray(), 0, path.encode()
    while i < len(b):
        if b[i] == 0x25:
            out.append(int(b[i + 1:i + 3], 16))
            i += 3
        else:
            out.append(b[i])
            i += 1
    return bytes(out)


class Order:
    """Follows the order of section 4.3."""

    def __init__(self):
        self.rank, self.table, self.area, self.last, self.links = 0, None, -1, None, False

    def follow(self, n, rec):
        kind = rec["kind"]
        if kind == "chunk":
            if rec["type"] == "parquet":
                if self.rank != ORDER.index("table") or rec["table"] != self.table:
                    complain("line %d: a part of table %r does not follow it", n, rec["table"])
                return
            self.enter(n, rec["area"])
            if self.links and rec["role"] != "links":
                complain("line %d: a chunk of content behind one of links", n)
            self.links = self.links or rec["role"] == "links"
            kind = "file"
        rank = ORDER.index(kind)
        if rank < self.rank:
            complain("line %d: %s stands behind %s", n, kind, ORDER[self.rank])
        self.rank = rank
        if kind == "table":
            self.table = rec["name"]
        if rec["kind"] == "file":
            self.enter(n, rec["area"])
            key = ("path" not in rec, rec.get("path", "").encode(), rec.get("id", 0))
            if self.last is not None and key < self.last:
                complain("line %d: file %r is out of order", n, rec)
            if self.links:
                complain("line %d: a file behind chunks of links", n)
            self.last = key

    def enter(self, n, area):
        at = AREAS.index(area)
        if at < self.area:
            complain("line %d: area %s is out of order", n, area)
        if at != self.area:
            self.area, self.last, self.links = at, None, False


def main(manifest, dest, out):
    hashed, counts, order = hashlib.sha256(), {}, Order()
    chunks, receipts, names = {}, {}, set()
    files = rows = in_parts = size = 0
    end = None
    with open(manifest, "rb") as f:
        for n, raw in enumerate(f, 1):
            line = raw.rstrip(b"\r\n")
            if any(c > 0x7E or c < 0x20 for c in line):
                complain("line %d is not ASCII", n)
            if end is not None:
                complain("line %d stands behind the end", n)
            rec = json.loads(line)
            if next(iter(rec)) != "kind":
                complain("line %d: kind is not first", n)
            kind = rec["kind"]
            order.follow(n, rec)
            if kind == "end":
                end = rec
                continue
            hashed.update(line + b"\n")
            counts[kind] = counts.get(kind, 0) + 1
            if kind == "table":
                rows += rec["rows"]
            elif kind == "chunk":
                if rec["sha256"] in chunks:
                    complain("line %d: chunk %s for the second time", n, rec["sha256"])
                chunks[rec["sha256"]] = rec
                if rec["type"] == "parquet":
                    in_parts += rec["rows"]
            elif kind == "receipt":
                receipts[rec["chunk"]] = rec["bytes"]
            elif kind == "file" and "chunk" in rec:
                if rec["chunk"] not in chunks:
                    complain("line %d: chunk %s is not known yet", n, rec["chunk"])
                files += 1
                size += rec["size"]
                path = os.path.join(os.fsencode(out), rec["area"].encode(), disk_name(rec))
                names.add(path)
                if not os.path.isfile(path):
                    complain("line %d: %r was not unpacked", n, path)
                elif os.path.getsize(path) != rec["size"] or digest_of(path) != rec["sha256"]:
                    complain("line %d: %r has other bytes", n, path)
    if end is None:
        complain("there is no end")
    elif end["counts"] != counts:
        complain("end counts %r, there are %r", end["counts"], counts)
    elif end["sha256"] != hashed.hexdigest():
        complain("end says %s, the lines have %s", end["sha256"], hashed.hexdigest())
    if rows != in_parts:
        complain("tables have %d rows, their parts %d", rows, in_parts)
    if sorted(receipts) != sorted(chunks):
        complain("receipts are not those of the chunks")
    there = set()
    for folder, _, list_ in os.walk(os.path.join(dest, "chunks")):
        there.update(os.path.join(folder, name) for name in list_)
    for digest, rec in chunks.items():
        path = os.path.join(dest, "chunks", digest[:2], digest + "." + rec["type"])
        there.discard(path)
        if not os.path.isfile(path):
            complain("chunk %s is not there", digest)
        elif os.path.getsize(path) != rec["bytes"] or receipts.get(digest) != rec["bytes"] or digest_of(path) != digest:
            complain("chunk %s is another one", digest)
    for path in there:
        complain("nothing refers to %s", path)
    for folder, _, list_ in os.walk(os.fsencode(out)):
        for name in list_:
            if os.path.join(folder, name) not in names:
                complain("nothing names %r", os.path.join(folder, name))
    print(json.dumps({"files": files, "bytes": size, "chunks": len(chunks), "rows": rows, "counts": counts}))


main(*sys.argv[1:])
for line in wrong[:20]:
    print(line, file=sys.stderr)
sys.exit(1 if wrong else 0)
