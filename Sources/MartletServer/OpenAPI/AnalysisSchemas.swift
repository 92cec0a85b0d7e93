// What the trials of a sweep showed, as schemas.

import MartletModel
import OrderedCollections

private let shareSchema: JSONValue = ["type": "number", "minimum": 0, "maximum": 1]

let analysisSchemas: JSONObject = [
  "SweepAnalysis": objectSchema([
    "sweep": idSchema, "objective": countSchema,
    "objectives": arraySchema(
      objectSchema(
        [
          "name": stringSchema, "goal": words(Objective.Goal.self), "of": words(Objective.Statistic.self),
        ], optional: ["fallback": stringSchema])),
    "trials": objectSchema([
      "ended": countSchema, "complete": countSchema, "feasible": countSchema, "outside": countSchema,
    ]),
    "search": nullable(
      objectSchema([
        "method": stringSchema, "stage": countSchema, "reason": optionalString, "failures": optionalString,
        "stages": arraySchema(
          objectSchema([
            "method": stringSchema, "from": countSchema, "until": optionalInteger, "words": optionalString,
          ])),
      ])),
    "stopping": nullable(
      objectSchema([
        "rules": stringsSchema,
        "rungs": arraySchema(
          objectSchema([
            "step": ["type": "integer"], "stopped": arraySchema(countSchema),
            "paused": arraySchema(countSchema),
          ])),
      ])),
    "progress": objectSchema([
      "trials": countSchema, "best": optionalNumber, "best_trial": optionalInteger,
      "since_best": countSchema, "late_gain": shareSchema, "chance": shareSchema, "regret": optionalNumber,
      "statements": stringsSchema,
    ]),
    "importance": objectSchema([
      "needed": countSchema, "trials": countSchema, "note": optionalString,
      "parameters": arraySchema(
        objectSchema([
          "name": stringSchema, "variance": shareSchema, "among_the_best": shareSchema,
          "impurity": shareSchema, "trials": countSchema,
        ])),
      "interactions": arraySchema(
        objectSchema(["first": stringSchema, "second": stringSchema, "variance": shareSchema])),
    ]),
    "slices": arraySchema(
      objectSchema(["name": stringSchema, "values": ["type": "array"], "metric": arraySchema(numberSchema)])),
    "distribution": distributionSchema,
    "front": nullable(arraySchema(countSchema)),
    "hypervolume": nullable(hypervolumeSchema),
    "charts": objectSchema([:], optional: chartSchemas),
    "chart_notes": ["type": "object", "additionalProperties": stringSchema],
    "left_out": arraySchema([
      "type": "string",
      "enum": JSONValue(
        ["importance", "interactions", "slices", "front", "hypervolume"]
          + ["charts.slices", "charts.contour", "charts.parallel", "charts.trials"]),
    ]),
  ])
]

private let flagsSchema = arraySchema(booleanSchema)
private let numbersSchema = arraySchema(countSchema)
private let distributionSchema = objectSchema([
  "metric": arraySchema(numberSchema), "share": arraySchema(shareSchema),
])
private let hypervolumeSchema = objectSchema([
  "reference": arraySchema(numberSchema), "trials": numbersSchema, "volumes": arraySchema(shareSchema),
])
private let valuesSchema: JSONValue = ["type": "array"]
private let trialStatesSchema = arraySchema(words(TrialState.self))
private let axisSchema = objectSchema([
  "name": stringSchema, "kind": ["type": "string", "enum": ["number", "category"]],
  "scale": ["type": "string", "enum": ["linear", "log"]], "values": valuesSchema,
])
private let rankMembers: JSONObject = [
  "x": axisSchema, "y": axisSchema, "trials": numbersSchema, "x_values": valuesSchema,
  "y_values": valuesSchema, "metric": arraySchema(numberSchema), "rank": arraySchema(shareSchema),
  "feasible": flagsSchema,
  "grid_x": valuesSchema, "grid_y": valuesSchema,
]

/// By the name of the chart; each is there when it was asked for, and null when there cannot be one.
private let chartSchemas: JSONObject = [
  "history": objectSchema([
    "trials": numbersSchema, "states": trialStatesSchema, "feasible": flagsSchema,
    "metric": arraySchema(optionalNumber), "best": arraySchema(optionalNumber),
  ]),
  "edf": distributionSchema,
  "slices": nullable(
    arraySchema(
      objectSchema([
        "axis": axisSchema, "trials": numbersSchema, "values": valuesSchema,
        "metric": arraySchema(numberSchema), "feasible": flagsSchema,
        "mean": objectSchema(["values": valuesSchema, "metric": arraySchema(numberSchema)]),
      ]))),
  "contour": nullable(
    objectSchema(
      rankMembers.merging(["surface": arraySchema(arraySchema(numberSchema))]) { _, new in new })),
  "rank": nullable(objectSchema(rankMembers)),
  "parallel": nullable(
    objectSchema([
      "axes": arraySchema(axisSchema), "trials": numbersSchema,
      "positions": arraySchema(arraySchema(["type": ["number", "null"]])),
      "values": arraySchema(valuesSchema), "metric": arraySchema(numberSchema), "feasible": flagsSchema,
    ])),
  "pareto": nullable(
    objectSchema([
      "objectives": stringsSchema, "trials": numbersSchema,
      "metrics": arraySchema(arraySchema(numberSchema)), "feasible": flagsSchema,
      "front": flagsSchema,
    ])),
  "hypervolume": nullable(hypervolumeSchema),
  "timeline": objectSchema([
    "trials": numbersSchema, "start": arraySchema(numberSchema), "end": arraySchema(optionalNumber),
    "states": trialStatesSchema, "lanes": numbersSchema, "lane_count": countSchema,
    "until": optionalNumber, "utilization": optionalNumber,
  ]),
  "trials": nullable(
    objectSchema([
      "trials": numbersSchema, "states": trialStatesSchema,
      "feasible": arraySchema(["type": ["boolean", "null"]]), "outside": flagsSchema,
      "parameters": ["type": "object", "additionalProperties": valuesSchema],
      "metrics": arraySchema(arraySchema(optionalNumber)), "best": arraySchema(optionalNumber),
      "rank": arraySchema(optionalInteger),
    ])),
]
