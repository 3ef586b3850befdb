import json
import sys

ENDS = (".exe", ".dll", ".bat", ".cmd", ".com", ".msi", ".ps1", ".vbs", ".js", ".scr")

for line in sys.stdin:
    record = json.loads(line)
    if record["kind"] != "file" or record["state"] != "present":
        continue
    path = record["path"]
    if path.lower().endswith(ENDS):
        name = record["id"] if record.get("id") else path
        print(json.dumps({
            "subjects": [f"file:{record['area']}:{name}"],
            "message": f"{record['area']} {path} is a program",
        }))
