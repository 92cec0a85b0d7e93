// The objects that requests bring, as schemas. A member that is null counts as absent.

import MartletModel
import OrderedCollections

let requestSchemas: JSONObject = [
  "Empty": objectSchema([:]),
  "SignIn": objectSchema(["code": stringSchema], optional: ["name": labelSchema]),
  "NewToken": objectSchema(
    ["name": labelSchema, "scopes": ["type": "array", "items": words(Scope.self), "minItems": 1]],
    optional: [
      "project": optionalString,
      "expires_in_s": ["type": ["number", "null"], "exclusiveMinimum": 0, "maximum": 3_200_000_000],
    ]),
  "NewRun": objectSchema(
    ["project": nameSchema],
    optional: runDetails.merging([
      "id": nullable(nameSchema), "resume": nullable(words(NewRun.Resume.self)),
    ]) { _, new in new }),
  "RunPatch": objectSchema(
    [:],
    optional: runDetails.merging([
      "state": nullable(words(RunState.self)), "archived": optionalBoolean, "locked": optionalBoolean,
      "project": nullable(nameSchema), "add_tags": optionalTags, "remove_tags": optionalStrings,
    ]) { _, new in new }),
  "NewAlert": objectSchema(
    ["title": ["type": "string", "minLength": 1, "maxLength": 512]],
    optional: [
      "text": ["type": ["string", "null"], "maxLength": 65_536], "level": nullable(words(AlertLevel.self)),
      "key": ["type": ["string", "null"], "minLength": 1, "maxLength": 256],
    ]),
  "NewRunFile": objectSchema(
    ["sha256": hashSchema],
    optional: [
      "media_type": ["type": ["string", "null"], "pattern": "^[!#$&^_.+A-Za-z0-9-]+/[!#$&^_.+A-Za-z0-9-]+$"]
    ]),
  "ProjectPatch": objectSchema(["description": ["type": "string", "maxLength": 4_096]]),
  "NewDerivedMetric": objectSchema(
    ["name": nameOfMetric, "expression": ["type": "string", "minLength": 1, "maxLength": 4_096]],
    optional: [
      "description": ["type": ["string", "null"], "maxLength": 4_096],
      "goal": nullable(words(Objective.Goal.self)),
    ]),
  "RunRewind": objectSchema(["step": integerSchema]),
  "RunFork": objectSchema([:], optional: ["step": optionalInteger, "name": nullable(nameSchema)]),
  "NewAddress": objectSchema(
    [:],
    optional: [
      "name": ["type": ["string", "null"], "minLength": 1, "maxLength": 255, "pattern": "^[^\\r\\n]+$"],
      "type": ["type": ["string", "null"], "pattern": "^[!#$&^_.+A-Za-z0-9-]+/[!#$&^_.+A-Za-z0-9-]+$"],
      "expires_in_s": ["type": ["number", "null"], "minimum": 1, "maximum": 86_400, "default": 300],
    ]),
  "RunFinish": objectSchema(
    [:],
    optional: [
      "state": ["type": ["string", "null"], "enum": ["finished", "failed", "crashed", "stopped", nil]],
      "exit_code": optionalInteger, "reason": optionalString,
    ]),
  "RunStop": objectSchema([:], optional: ["grace_s": graceSchema]),
  "NewExecution": objectSchema(
    ["command": ["type": "array", "items": stringSchema, "minItems": 1], "workdir": absolutePath],
    optional: executionMembers.merging([
      "project": optionalString, "environment": optionalMap,
      "name": optionalString, "timeout_s": ["type": ["number", "null"], "minimum": 0],
      "grace_s": graceSchema, "output": optionalString, "gpus": ["type": ["integer", "null"], "minimum": 0],
      "stop_signal": ["type": ["string", "null"], "enum": ["TERM", "USR1", nil]],
    ]) { _, new in new }),
  "LogRow": objectSchema(
    ["seq": countSchema, "time": timeSchema, "values": anyObject], optional: ["step": optionalInteger]),
  "SeriesRequest": objectSchema(
    ["runs": arraySchema(idSchema)],
    optional: [
      "keys": optionalStrings,
      "buckets": ["type": ["integer", "null"], "minimum": 1, "maximum": 20_000, "default": 2_000],
      "from_step": optionalInteger, "to_step": optionalInteger,
      "ema": ["type": ["number", "null"], "minimum": 0, "exclusiveMaximum": 1], "x": optionalString,
      "system": ["type": ["boolean", "null"], "default": false],
    ]),
  "NewSweep": objectSchema(
    ["source": stringSchema, "workdir": absolutePath],
    optional: [
      "environment": optionalMap, "environment_of": optionalString,
      "filename": optionalString, "name": optionalString, "project": optionalString,
      "command": optionalStrings,
      "output": optionalString, "client_version": optionalString,
      "max_parallel": ["type": ["integer", "null"], "minimum": 0, "maximum": 100_000],
    ]),
  "NewPoint": objectSchema(
    [:],
    optional: [
      "params": anyObject, "trial": countSchema,
      "times": ["type": ["integer", "null"], "minimum": 1, "maximum": 1_000, "default": 1],
    ]),
  "SweepStop": objectSchema(
    [:],
    optional: [
      "mode": ["type": ["string", "null"], "enum": ["now", "drain", nil]], "grace_s": graceSchema,
    ]),
]

private let labelSchema: JSONValue = ["type": "string", "minLength": 1, "maxLength": 100]
/// Of projects and runs.
private let nameSchema: JSONValue = [
  "type": "string", "minLength": 1, "maxLength": 256, "pattern": #"^[^\u0000-\u001f\u007f]+$"#,
]
private let graceSchema: JSONValue = ["type": ["number", "null"], "minimum": 0, "maximum": 86_400]
private let absolutePath: JSONValue = ["type": "string", "pattern": "^/"]
private let optionalMap: JSONValue = ["type": ["object", "null"], "additionalProperties": stringSchema]

private let runDetails: JSONObject = [
  "name": nullable(nameSchema), "notes": optionalString, "tags": optionalTags, "group": optionalString,
  "job_type": optionalString, "config": ["type": ["object", "null"], "additionalProperties": true],
  "host": optionalString, "pid": optionalInteger, "command": optionalStrings, "workdir": optionalString,
  "git": nullable(gitSchema), "python": optionalString,
  "metrics": ["type": ["object", "null"], "additionalProperties": nullable(definitionSchema)],
  "summary": ["type": ["object", "null"], "additionalProperties": true],
  "parent": optionalID, "environment": nullable(environmentSchema), "model": nullable(modelSchema),
]

/// A metric's definition as it comes.
private let definitionSchema = objectSchema(
  [:],
  optional: [
    "summary": nullable(words(MetricDefinition.Summary.self)), "step_metric": nullable(nameOfMetric),
    "goal": nullable(words(Objective.Goal.self)), "hidden": ["type": ["boolean", "null"]],
  ])
private let nameOfMetric: JSONValue = ["type": "string", "minLength": 1, "maxLength": 512]
