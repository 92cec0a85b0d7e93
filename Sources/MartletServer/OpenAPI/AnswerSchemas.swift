// The objects that the API answers, as schemas.

import MartletModel
import OrderedCollections

let answerSchemas: JSONObject = [
  "Error": objectSchema([
    "error": objectSchema(
      ["code": words(Problem.Code.self), "message": stringSchema, "hint": optionalString],
      optional: ["details": anyObject])
  ]),
  "Health": objectSchema(["status": ["const": "ok"]]),
  "Version": objectSchema(["name": ["const": "martlet"], "version": stringSchema, "api": ["const": 1]]),
  "Document": anyObject,
  "Ending": objectSchema(["status": ["const": "ending"]]),
  "Status": objectSchema([
    "version": stringSchema, "pid": integerSchema, "started_at": timeSchema, "data": stringSchema,
    "address": stringSchema, "url": stringSchema, "uptime_s": ["type": "number"],
    "devices": arraySchema(objectSchema(["index": countSchema, "holder": optionalID])),
    "running": countSchema,
    "queued": countSchema,
    "counts": objectSchema([
      "projects": countSchema, "runs": countSchema, "sweeps": countSchema, "points": countSchema,
    ]),
    "database": objectSchema([
      "bytes": countSchema, "wal_bytes": countSchema, "synchronous": integerSchema,
      "journal_mode": stringSchema,
    ]),
  ]),
  "Checks": objectSchema([
    "checks": arraySchema(
      objectSchema([
        "name": stringSchema, "status": words(DoctorCheck.Status.self), "message": stringSchema,
        "hint": optionalString,
      ]))
  ]),
  "Session": objectSchema([
    "token": stringSchema, "id": idSchema, "scopes": arraySchema(words(Scope.self)), "expires_at": timeSchema,
  ]),
  "SignInCode": objectSchema(["code": stringSchema, "url": stringSchema, "expires_at": timeSchema]),
  "Me": objectSchema([
    "principal": stringSchema, "token": optionalID, "scopes": arraySchema(words(Scope.self)),
    "project": optionalString, "run": optionalID,
  ]),
  "Token": objectSchema(tokenMembers),
  "CreatedToken": objectSchema(tokenMembers.merging(["token": stringSchema]) { _, new in new }),
  "TokenList": pageSchema(of: "Token"),
  "Project": objectSchema([
    "id": idSchema, "name": stringSchema, "description": stringSchema, "created_at": timeSchema,
    "created_by": stringSchema, "runs": countSchema, "running": countSchema, "sweeps": countSchema,
    "last_activity_at": timeSchema,
  ]),
  "ProjectList": pageSchema(of: "Project"),
  "DerivedMetric": objectSchema(derivedMembers),
  "DefinedMetric": objectSchema(derivedMembers.merging(["notes": stringsSchema]) { _, new in new }),
  "DerivedMetricList": objectSchema(["items": arraySchema(schema("DerivedMetric"))]),
  "Git": gitSchema,
  "Exit": objectSchema(["code": optionalInteger, "signal": optionalInteger, "reason": stringSchema]),
  "MetricSummary": objectSchema(summaryMembers, optional: ["derived": ["const": true]]),
  "ValueSummary": objectSchema(
    ["value": .object([:])], optional: ["last_step": integerSchema, "set_at": timeSchema]),
  "MixedSummary": objectSchema(
    summaryMembers.merging(["value": .object([:])]) { _, new in new },
    optional: ["set_at": timeSchema, "derived": ["const": true]]),
  "MetricDefinition": objectSchema([
    "summary": nullable(words(MetricDefinition.Summary.self)), "step_metric": optionalString,
    "goal": nullable(words(Objective.Goal.self)), "hidden": booleanSchema,
  ]),
  "Blob": objectSchema(["sha256": hashSchema, "size": countSchema]),
  "Address": objectSchema(["url": stringSchema, "expires_at": timeSchema]),
  "Run": objectSchema(
    [
      "id": idSchema, "project": stringSchema, "name": stringSchema, "state": words(RunState.self),
      "sweep": optionalID,
      "sweep_name": optionalString, "trial": optionalInteger, "config": anyObject,
      "summary": [
        "type": "object",
        "additionalProperties": [
          "anyOf": .array([
            schema("MetricSummary"), schema("ValueSummary"), schema("MixedSummary"),
          ])
        ],
      ],
      "tags": stringsSchema, "notes": stringSchema, "group": optionalString, "job_type": optionalString,
      "command": optionalStrings, "workdir": optionalString, "run_dir": optionalString,
      "host": optionalString,
      "pid": optionalInteger, "git": nullable(schema("Git")), "python": optionalString,
      "created_at": timeSchema,
      "started_at": optionalTime, "ended_at": optionalTime, "last_seen_at": optionalTime,
      "created_by": stringSchema,
      "exit": nullable(schema("Exit")), "attempt": countSchema, "attempts": countSchema,
      "devices": arraySchema(countSchema), "points": countSchema, "last_step": optionalInteger,
      "metrics": ["type": "object", "additionalProperties": schema("MetricDefinition")],
      "deleted_at": optionalTime,
      "forked_from": nullable(objectSchema(["run": idSchema, "step": optionalInteger])),
      "archived_at": optionalTime, "locked_at": optionalTime, "parent": optionalID, "children": countSchema,
      "hardware": optionalString,
    ], optional: ["environment": nullable(schema("Environment"))]),
  "Environment": environmentSchema,
  "ModelSummary": modelSchema,
  "RunEvent": objectSchema([
    "at": timeSchema, "type": stringSchema, "by": stringSchema, "payload": anyObject,
  ]),
  "RunEventList": pageSchema(of: "RunEvent"),
  "RunFile": objectSchema([
    "path": stringSchema, "sha256": hashSchema, "size": countSchema, "media_type": optionalString,
    "created_at": timeSchema,
  ]),
  "RunFileList": pageSchema(of: "RunFile"),
  "Alert": objectSchema([
    "id": countSchema, "run": idSchema, "run_name": stringSchema, "project": stringSchema, "at": timeSchema,
    "level": words(AlertLevel.self), "title": stringSchema, "text": stringSchema, "key": optionalString,
    "by": stringSchema,
  ]),
  "AlertList": pageSchema(of: "Alert"),
  "RunList": pageSchema(of: "Run"),
  "RunCount": objectSchema([
    "total": countSchema, "states": ["type": "object", "additionalProperties": countSchema],
  ]),
  "GroupStatistics": objectSchema([
    "count": countSchema, "mean": numberSchema, "sd": optionalNumber, "se": optionalNumber,
    "ci95": ["type": ["array", "null"], "items": numberSchema], "min": numberSchema, "q1": numberSchema,
    "median": numberSchema, "q3": numberSchema, "max": numberSchema,
  ]),
  "RunGroup": objectSchema([
    "key": ["type": "array"], "filter": optionalString, "count": countSchema,
    "states": ["type": "object", "additionalProperties": countSchema],
    "values": ["type": "object", "additionalProperties": nullable(schema("GroupStatistics"))],
  ]),
  "RunGroupList": pageSchema(of: "RunGroup"),
  "ConfigField": objectSchema([
    "name": stringSchema, "runs": countSchema, "values": countSchema, "varies": booleanSchema,
  ]),
  "FieldList": objectSchema([
    "config": arraySchema(schema("ConfigField")), "summary": arraySchema(schema("ConfigField")),
    "metrics": arraySchema(
      objectSchema([
        "name": stringSchema, "runs": countSchema, "goal": nullable(words(Objective.Goal.self)),
      ])),
    "derived": arraySchema(objectSchema(["name": stringSchema, "expression": stringSchema])),
    "attributes": stringsSchema,
  ]),
  "FilterAdvice": objectSchema([
    "valid": booleanSchema,
    "error": nullable(
      objectSchema([
        "message": stringSchema, "hint": optionalString, "from": countSchema, "to": countSchema,
      ])),
    "canonical": optionalString,
    "clauses": arraySchema(objectSchema(["from": countSchema, "to": countSchema, "text": stringSchema])),
    "completion": objectSchema([
      "from": countSchema, "to": countSchema,
      "items": arraySchema(
        objectSchema([
          "text": stringSchema, "kind": words(FilterSuggestion.Kind.self), "detail": stringSchema,
        ])),
    ]),
  ]),
  "Heartbeat": objectSchema(["state": words(RunState.self), "stop_requested": booleanSchema]),
  "AppendReceipt": objectSchema(["accepted": countSchema, "duplicates": countSchema, "next_seq": countSchema]
  ),
  "Attempt": objectSchema([
    "number": countSchema, "state": words(AttemptState.self), "created_at": timeSchema,
    "started_at": optionalTime,
    "ended_at": optionalTime, "exit": nullable(schema("Exit")), "pid": optionalInteger,
    "devices": arraySchema(countSchema), "dir": stringSchema, "stop_requested_at": optionalTime,
    "room_requested_at": optionalTime, "kill_at": optionalTime, "agent": optionalAgentSchema,
    "peak_memory": optionalInteger, "cpu_seconds": optionalNumber, "limit": optionalString,
    "fault": optionalString, "limits": nullable(schema("AttemptLimits")),
  ]),
  "AttemptLimits": objectSchema([
    "memory": optionalInteger, "cpus": optionalInteger, "output": optionalInteger,
    "open_files": optionalInteger, "memory_by": optionalString, "cpus_by": optionalString,
    "cpu_list": arraySchema(countSchema),
  ]),
  "AttemptList": objectSchema(["items": arraySchema(schema("Attempt"))]),
  "LogPiece": objectSchema([
    "stream": words(LogStream.self), "attempt": countSchema, "offset": countSchema,
    "next_offset": countSchema,
    "size": countSchema, "ended": booleanSchema, "text": stringSchema,
  ]),
  "LogLines": objectSchema([
    "attempt": countSchema, "attempts": countSchema, "total": countSchema, "settled": countSchema,
    "ended": booleanSchema, "items": arraySchema(objectSchema(logLineMembers)),
  ]),
  "LogMatches": objectSchema([
    "count": countSchema, "complete": booleanSchema,
    "items": arraySchema(
      objectSchema(
        logLineMembers.merging([
          "ranges": arraySchema([
            "type": "array", "items": countSchema, "minItems": 2, "maxItems": 2,
          ])
        ]) { _, new in new })),
    "next": optionalInteger,
  ]),
  "LogReceipt": objectSchema(["size": countSchema, "accepted": countSchema]),
  "SystemOverview": objectSchema([
    "metrics": arraySchema(
      objectSchema([
        "name": stringSchema, "unit": stringSchema, "last": numberSchema, "mean": optionalNumber,
        "min": optionalNumber, "max": optionalNumber,
      ])), "from": optionalInteger, "to": optionalInteger,
  ]),
  "Series": ["anyOf": .array([rawSeries, bucketSeries])],
  "SeriesList": objectSchema(["series": arraySchema(schema("Series"))]),
  "SweepTemplate": objectSchema([
    "source": stringSchema, "filename": optionalString, "workdir": optionalString,
    "command": optionalStrings, "output": optionalString, "environment_of": stringSchema,
  ]),
  "SweepPlan": objectSchema([
    "name": stringSchema, "project": stringSchema, "workdir": stringSchema, "command": stringsSchema,
    "rows": arraySchema(objectSchema(["name": stringSchema, "words": stringSchema])),
    "points": arraySchema(objectSchema(["name": stringSchema, "params": anyObject])),
    "doubt": optionalString, "notes": stringsSchema,
  ]),
  "Sweep": objectSchema([
    "id": idSchema, "project": stringSchema, "name": stringSchema, "description": stringSchema,
    "state": words(SweepState.self), "state_reason": optionalString, "method": stringSchema,
    "metric": nullable(
      objectSchema(
        [
          "name": stringSchema, "goal": words(Objective.Goal.self), "of": words(Objective.Statistic.self),
        ], optional: ["fallback": stringSchema])), "search": anyObject, "space_version": countSchema,
    "parameters": arraySchema(
      [
        "type": "object",
        "properties": [
          "name": stringSchema, "kind": stringSchema, "values": ["type": "array"], "min": numberSchema,
          "max": numberSchema, "distribution": stringSchema,
        ], "required": ["name", "kind"],
      ]),
    "max_parallel": countSchema, "timeout": optionalNumber, "priority": integerSchema,
    "command": stringsSchema, "workdir": stringSchema,
    "output_dir": stringSchema, "space_size": optionalInteger, "budget": optionalInteger,
    "counts": objectSchema([
      "waiting": countSchema, "running": countSchema, "paused": countSchema, "complete": countSchema,
      "pruned": countSchema,
      "failed": countSchema,
    ]),
    "best": nullable(
      objectSchema([
        "trial": countSchema, "run": idSchema, "run_name": stringSchema, "objective": numberSchema,
      ])),
    "created_at": timeSchema, "started_at": optionalTime, "ended_at": optionalTime,
    "created_by": stringSchema,
    "seed": [
      "type": "string", "description": "A whole number of 64 bits, which JSON's numbers may not hold.",
    ],
    "source": stringSchema, "max_parallel_auto": booleanSchema,
    "max_parallel_reason": optionalString,
    "preparation": nullable(objectSchema(["run": idSchema, "state": words(RunState.self)])),
  ]),
  "SweepList": pageSchema(of: "Sweep"),
  "Trial": objectSchema([
    "number": countSchema, "state": words(TrialState.self), "run": idSchema, "run_name": stringSchema,
    "run_state": words(RunState.self), "params": anyObject, "objective": optionalNumber,
    "other_objectives": arraySchema(numberSchema), "violations": arraySchema(numberSchema),
    "from_trial": optionalInteger, "penalty": optionalNumber,
    "reason": optionalString,
    "created_at": timeSchema, "started_at": optionalTime, "ended_at": optionalTime,
    "metrics": nullable(objectSchema(["final": numberSchema, "min": optionalNumber, "max": optionalNumber])),
    "attempts": countSchema, "space_version": countSchema, "issues": stringsSchema,
  ]),
  "SweepVersionList": objectSchema([
    "items": arraySchema(
      objectSchema([
        "version": countSchema, "source": stringSchema, "since": timeSchema, "by": stringSchema,
      ]))
  ]),
  "TrialList": objectSchema(["items": arraySchema(schema("Trial"))]),
]

private let summaryMembers: JSONObject = [
  "last": numberSchema, "last_step": integerSchema, "last_at": timeSchema, "min": optionalNumber,
  "min_step": optionalInteger, "max": optionalNumber, "max_step": optionalInteger, "mean": optionalNumber,
  "best": optionalNumber, "best_step": optionalInteger, "count": countSchema, "nan_count": countSchema,
]

private let derivedMembers: JSONObject = [
  "name": stringSchema, "expression": stringSchema, "description": stringSchema,
  "goal": nullable(words(Objective.Goal.self)), "created_at": timeSchema, "created_by": stringSchema,
]

private let logLineMembers: JSONObject = [
  "n": countSchema, "at": optionalTime, "stream": words(LogStream.self), "text": stringSchema,
]

private let tokenMembers: JSONObject = [
  "id": idSchema, "name": stringSchema, "principal": stringSchema, "scopes": arraySchema(words(Scope.self)),
  "project": optionalString, "created_at": timeSchema, "created_by": stringSchema, "expires_at": optionalTime,
  "revoked_at": optionalTime, "last_used_at": optionalTime,
]

let gitSchema: JSONValue = objectSchema(
  [:],
  optional: [
    "commit": optionalString, "branch": optionalString, "dirty": ["type": ["boolean", "null"]],
    "remote": optionalString,
  ])

private let rawSeries = objectSchema(
  [
    "run": idSchema, "key": stringSchema, "count": countSchema, "kind": ["const": "raw"],
    "steps": arraySchema(integerSchema), "times": arraySchema(timeSchema),
    "values": arraySchema(numberSchema),
  ], optional: ["ema": arraySchema(numberSchema), "x": arraySchema(numberSchema)])

private let bucketSeries = objectSchema(
  [
    "run": idSchema, "key": stringSchema, "count": countSchema, "kind": ["const": "buckets"],
    "steps": arraySchema(integerSchema), "times": arraySchema(timeSchema), "first": arraySchema(numberSchema),
    "last": arraySchema(numberSchema), "min": arraySchema(numberSchema), "max": arraySchema(numberSchema),
    "mean": arraySchema(numberSchema), "counts": arraySchema(countSchema),
    "nan_counts": arraySchema(countSchema),
  ], optional: ["ema": arraySchema(numberSchema), "x": arraySchema(numberSchema)])
