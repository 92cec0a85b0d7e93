// The pool and what may be changed of it, as schemas.

import MartletModel
import MartletOrchestration
import OrderedCollections

private let optionalCount: JSONValue = ["type": ["integer", "null"], "format": "int64", "minimum": 0]

/// What an attempt needs.
private let needsMembers: JSONObject = [
  "gpus": countSchema, "gpu_memory": optionalCount, "gpu_slots": countSchema, "same_host": booleanSchema,
  "memory": countSchema,
]

/// Whose it is; null for those who may not see it.
private let subjectMembers: JSONObject = [
  "run": optionalID, "run_name": optionalString, "project": optionalString, "sweep": optionalID,
  "trial": optionalInteger, "attempt": optionalInteger,
]

private let policyMembers: JSONObject = [
  "memory_weight": partSchema, "idle_weight": partSchema, "balance": partSchema,
  "foreign_utilization": partSchema, "foreign_free_memory": countSchema, "backfill": countSchema,
  "group_equal_needs": booleanSchema, "cpu_slots": optionalCount, "memory": optionalCount,
  "gpu_memory": optionalCount,
]
private let partSchema: JSONValue = ["type": "number", "minimum": 0, "maximum": 1]

private func words(_ list: String...) -> JSONValue { ["type": "string", "enum": JSONValue(list)] }

let poolAnswerSchemas: JSONObject = [
  "Needs": objectSchema(needsMembers),
  "Holding": objectSchema(
    subjectMembers.merging([
      "state": words("starting", "running", "lost"), "asked": nullable(words("stop", "makeRoom")),
      "devices": arraySchema(countSchema), "needs": schema("Needs"), "priority": integerSchema,
      "since": timeSchema, "expected_end": optionalTime,
    ]) { _, new in new }),
  "QueueEntry": objectSchema(
    subjectMembers.merging([
      "position": optionalInteger, "needs": schema("Needs"), "priority": integerSchema,
      "state": words("waiting", "pausing", "starting", "running"), "since": optionalTime,
      "reason": stringSchema, "starts_at": optionalTime,
    ]) { _, new in new }),
  "DeviceReading": objectSchema(
    [
      "utilization": ["type": ["number", "null"]], "memory_used": optionalCount,
      "temperature": ["type": ["number", "null"]], "power": ["type": ["number", "null"]], "at": optionalTime,
    ]),
  "PoolDevice": objectSchema([
    "index": countSchema, "kind": words("cuda", "rocm", "mps", "declared"), "name": stringSchema,
    "host": stringSchema, "memory": optionalCount, "slots": countSchema, "used_slots": countSchema,
    "reserved_memory": countSchema, "standing": words("open", "cordoned", "draining"),
    "standing_reason": optionalString, "foreign": booleanSchema,
    "reading": nullable(schema("DeviceReading")), "holders": arraySchema(schema("Holding")),
    "free_at": optionalTime,
  ]),
  "PoolPolicy": objectSchema(policyMembers),
  "Pool": objectSchema([
    "host": stringSchema, "devices": arraySchema(schema("PoolDevice")),
    "running": arraySchema(schema("Holding")), "queue": arraySchema(schema("QueueEntry")),
    "queue_length": countSchema, "policy": schema("PoolPolicy"),
    "totals": objectSchema([
      "devices": countSchema, "free": countSchema, "slots": countSchema, "used_slots": countSchema,
      "running": countSchema, "waiting": countSchema,
      "cpu_slots": objectSchema(["limit": optionalCount, "used": countSchema]),
      "memory": objectSchema(["limit": optionalCount, "reserved": countSchema]),
      "gpu_memory": objectSchema(["limit": optionalCount, "reserved": countSchema]),
    ]),
  ]),
]

let poolRequestSchemas: JSONObject = [
  "QueueMove": objectSchema(
    [:],
    optional: [
      "priority": [
        "type": ["integer", "null"], "minimum": -1_000_000, "maximum": 1_000_000,
        "description": "Higher goes first.",
      ],
      "move": [
        "type": ["string", "null"], "enum": ["front", "back", nil],
        "description": "To the beginning or the end of the line of its priority.",
      ],
    ]),
  "RunPreempt": objectSchema([:], optional: ["keep_place": ["type": ["boolean", "null"], "default": true]]),
  "DeviceOrder": objectSchema(
    [:], optional: ["reason": ["type": ["string", "null"], "minLength": 1, "maxLength": 1_024]]),
  "PoolPolicyPatch": objectSchema([:], optional: policyMembers),
  "SweepPatch": objectSchema(
    [:],
    optional: [
      "max_parallel": [
        "anyOf": [["type": ["integer", "null"], "minimum": 1, "maximum": 1_000_000], ["const": "auto"]]
      ],
      "priority": ["type": ["integer", "null"], "minimum": -1_000_000, "maximum": 1_000_000],
      "timeout": [
        "type": ["number", "null"], "exclusiveMinimum": 0, "description": "Seconds; null: no limit.",
      ],
      "budget": [
        "type": ["integer", "null"], "minimum": 1, "maximum": 1_000_000_000,
        "description": "Trials at most; null: no limit.",
      ],
      "source": [
        "type": ["string", "null"], "description": "The text of another file, for a paused sweep.",
      ],
    ]),
]

/// What a command asks for in POST /executions.
let executionMembers: JSONObject = [
  "resources": nullable(
    objectSchema(
      [:],
      optional: [
        "gpus": optionalCount, "gpu_memory": optionalCount,
        "gpu_slots": ["type": ["integer", "null"], "minimum": 1],
        "same_host": ["type": ["boolean", "null"], "default": true], "memory": optionalCount,
      ])),
  "retries": [
    "anyOf": [
      optionalCount,
      objectSchema(
        [:],
        optional: [
          "infra": optionalCount, "failure": optionalCount, "oom": optionalCount, "timeout": optionalCount,
        ]),
    ]
  ],
  "retry_pause": [
    "type": ["number", "null"], "minimum": 0, "description": "Seconds before the first retry.",
  ],
  "priority": ["type": ["integer", "null"], "minimum": -1_000_000, "maximum": 1_000_000],
]
