// What goes between a server and its agents, as schemas.

import MartletModel
import MartletOrchestration
import OrderedCollections

let agentIDSchema: JSONValue = ["type": "string", "pattern": "^[A-Za-z0-9_-]{8,64}$"]

/// Who runs an attempt in the server's place.
let optionalAgentSchema = nullable(
  objectSchema(
    ["id": agentIDSchema, "name": stringSchema, "devices": countSchema],
    optional: ["host": stringSchema, "workdir": stringSchema, "dir": stringSchema]))

let agentSchemas: JSONObject = [
  "NewLease": objectSchema(
    ["agent": agentIDSchema],
    optional: [
      "name": ["type": ["string", "null"], "minLength": 1, "maxLength": 200],
      "devices": ["type": ["integer", "null"], "minimum": 0, "maximum": 65_536],
    ]),
  "LeaseAnswer": objectSchema([
    "lease": nullable(schema("Lease")), "wait": ["type": ["boolean", "null"]],
    "over": [
      "type": ["string", "null"], "enum": .array(SweepState.allCases.map { .string($0.rawValue) } + [nil]),
    ],
    "reason": optionalString,
  ]),
  "Lease": objectSchema([
    "run": idSchema, "run_name": stringSchema, "attempt": countSchema, "project": stringSchema,
    "sweep": idSchema, "trial": countSchema, "params": anyObject, "seed": optionalString,
    "token": stringSchema, "timeout": optionalNumber, "grace": numberSchema,
    "stop_signal": ["type": "string", "enum": ["TERM", "USR1"]],
    "limits": objectSchema([
      "memory": optionalInteger, "cpus": optionalInteger, "output": optionalInteger,
      "open_files": optionalInteger,
    ]),
    "shards": optionalInteger, "resume": optionalString, "from": optionalString, "output_dir": stringSchema,
    "source": stringSchema, "filename": optionalString, "command": optionalStrings, "silence": numberSchema,
  ]),
  "LeaseBeat": objectSchema(
    ["agent": agentIDSchema, "attempt": countSchema],
    optional: [
      "began": nullable(
        objectSchema(
          ["pid": countSchema, "host": stringSchema, "workdir": stringSchema, "dir": stringSchema],
          optional: ["limits": ["type": ["object", "null"], "additionalProperties": true]]))
    ]),
  "LeaseOrders": objectSchema([
    "ask": ["type": ["string", "null"], "enum": ["stop", "makeRoom", nil]], "patience": numberSchema,
  ]),
  "LeaseEnd": objectSchema(
    ["agent": agentIDSchema, "attempt": countSchema],
    optional: [
      "exit": ["type": ["object", "null"], "additionalProperties": true], "given_back": optionalString,
      "refused": optionalString,
    ]),
  "LentTrialList": objectSchema([
    "items": arraySchema(
      objectSchema([
        "agent": objectSchema(["id": agentIDSchema, "name": stringSchema, "devices": countSchema]),
        "run": idSchema, "run_name": stringSchema, "attempt": countSchema, "trial": countSchema,
        "state": words(AttemptState.self), "silence": numberSchema,
      ]))
  ]),
]
