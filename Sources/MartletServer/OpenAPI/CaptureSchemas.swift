// What is captured of runs, as schemas: the same where it comes in and where it goes out.

import MartletModel
import OrderedCollections

let optionalBoolean: JSONValue = ["type": ["boolean", "null"]]
private let optionalCount: JSONValue = ["type": ["integer", "null"], "format": "int64", "minimum": 0]

let optionalTags: JSONValue = [
  "type": ["array", "null"], "maxItems": 1_000,
  "items": [
    "type": "string", "minLength": 1, "maxLength": 256, "pattern": #"^[^\u0000-\u001f\u007f]+$"#,
  ],
]

/// A relative path: no part is empty, `.` or `..`.
let filePathSchema: JSONValue = [
  "type": "string", "minLength": 1, "maxLength": .int(Int64(RunFile.longestPath)),
  "pattern":
    #"^(?!\.{1,2}(/|$))[^/\\\u0000-\u001f\u007f-\u009f]+(/(?!\.{1,2}(/|$))[^/\\\u0000-\u001f\u007f-\u009f]+)*$"#,
]

let environmentSchema: JSONValue = objectSchema(
  [:],
  optional: [
    "os": optionalString, "kernel": optionalString,
    "cpu": nullable(
      objectSchema(
        [:], optional: ["model": optionalString, "cores": optionalCount, "threads": optionalCount])),
    "memory_bytes": optionalCount, "cgroup_memory_bytes": optionalCount,
    "gpus": [
      "type": ["array", "null"],
      "items": objectSchema(
        [:], optional: ["name": optionalString, "memory_bytes": optionalCount, "driver": optionalString]),
    ],
    "python": nullable(
      objectSchema([:], optional: ["version": optionalString, "executable": optionalString])),
    "argv": optionalStrings, "cwd": optionalString,
    "variables": ["type": ["object", "null"], "additionalProperties": stringSchema],
  ])

private let shapeSchema: JSONValue = [
  "type": ["array", "null"],
  "items": ["anyOf": [optionalInteger, ["type": ["array", "null"], "items": optionalInteger]]],
]

let modelSchema: JSONValue = objectSchema(
  [:],
  optional: [
    "layers": [
      "type": ["array", "null"], "maxItems": .int(Int64(ModelSummary.largestLayerCount)),
      "items": objectSchema(
        ["name": stringSchema],
        optional: [
          "type": optionalString, "parameters": optionalCount,
          "trainable": [
            "anyOf": [optionalCount, ["type": "boolean"]],
            "description": "How many of the parameters are trained; true and false stand for all and none.",
          ],
          "input_shape": shapeSchema, "output_shape": shapeSchema,
        ]),
    ],
    "parameters": optionalCount, "trainable": optionalCount, "framework": optionalString,
  ])
