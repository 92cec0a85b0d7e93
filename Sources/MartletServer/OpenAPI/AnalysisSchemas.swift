// What the trials of a sweep showed, as schemas.

import MartletModel
import OrderedCollections

private let shareSchema: JSONValue = ["type": "number", "minimum": 0, "maximum": 1]

let analysisSchemas: JSONObject = [
  "SweepAnalysis": objectSchema([
    "sweep": idSchema, "objective": countSchema,
    "objectives": arraySchema(
      objectSchema([
        "name": stringSchema, "goal": words(Objective.Goal.self), "of": words(Objective.Statistic.self),
      ])),
    "trials": objectSchema(["ended": countSchema, "complete": countSchema, "feasible": countSchema]),
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
      "needed": countSchema, "note": optionalString,
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
    "distribution": objectSchema(["metric": arraySchema(numberSchema), "share": arraySchema(shareSchema)]),
    "front": nullable(arraySchema(countSchema)),
    "hypervolume": nullable(
      objectSchema([
        "reference": arraySchema(numberSchema), "trials": arraySchema(countSchema),
        "volumes": arraySchema(shareSchema),
      ])),
    "left_out": arraySchema([
      "type": "string", "enum": ["importance", "interactions", "slices", "front", "hypervolume"],
    ]),
  ])
]
