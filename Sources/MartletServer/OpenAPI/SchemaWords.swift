// Short words for JSON Schema (draft 2020-12, as OpenAPI 3.1 takes it).

import MartletModel
import OrderedCollections

let stringSchema: JSONValue = ["type": "string"]
let optionalString: JSONValue = ["type": ["string", "null"]]
let integerSchema: JSONValue = ["type": "integer", "format": "int64"]
let countSchema: JSONValue = ["type": "integer", "format": "int64", "minimum": 0]
let optionalInteger: JSONValue = ["type": ["integer", "null"], "format": "int64"]
let booleanSchema: JSONValue = ["type": "boolean"]
let stringsSchema: JSONValue = ["type": "array", "items": stringSchema]
let optionalStrings: JSONValue = ["type": ["array", "null"], "items": stringSchema]
let anyObject: JSONValue = ["type": "object", "additionalProperties": true]
let idSchema: JSONValue = ["type": "string", "pattern": "^[a-z0-9]{8}$"]
let optionalID: JSONValue = ["type": ["string", "null"], "pattern": "^[a-z0-9]{8}$"]
/// A SHA-256.
let hashSchema: JSONValue = ["type": "string", "pattern": "^[0-9a-f]{64}$"]
/// Microseconds since 1970.
let timeSchema: JSONValue = ["type": "integer", "format": "int64", "description": "Microseconds since 1970."]
let optionalTime: JSONValue = [
  "type": ["integer", "null"], "format": "int64", "description": "Microseconds since 1970.",
]
/// A number, or one of the words for those that JSON cannot hold.
let numberSchema: JSONValue = [
  "anyOf": [["type": "number"], ["type": "string", "enum": ["NaN", "Infinity", "-Infinity"]]]
]
let optionalNumber: JSONValue = [
  "anyOf": [["type": ["number", "null"]], ["type": "string", "enum": ["NaN", "Infinity", "-Infinity"]]]
]

/// A reference to a component schema.
func schema(_ name: String) -> JSONValue { ["$ref": .string("#/components/schemas/\(name)")] }

func arraySchema(_ items: JSONValue) -> JSONValue { ["type": "array", "items": items] }

func nullable(_ schema: JSONValue) -> JSONValue { ["anyOf": [schema, ["type": "null"]]] }

func words<T: RawRepresentable & CaseIterable>(_: T.Type) -> JSONValue where T.RawValue == String {
  ["type": "string", "enum": JSONValue(T.allCases.map(\.rawValue))]
}

/// Words of `T` with commas between them; an empty list counts as none.
func commaList<T: RawRepresentable & CaseIterable>(_: T.Type) -> JSONValue where T.RawValue == String {
  let one = "(" + T.allCases.map(\.rawValue).joined(separator: "|") + ")"
  return ["type": "string", "pattern": .string("^(\(one)(,\(one))*)?$")]
}

/// An object with these members and no others; all are required but those in `optional`.
func objectSchema(_ properties: JSONObject, optional: JSONObject = [:]) -> JSONValue {
  [
    "type": "object", "properties": .object(properties.merging(optional) { _, new in new }),
    "required": .array(properties.keys.map(JSONValue.string)), "additionalProperties": false,
  ]
}

/// A page of a list.
func pageSchema(of name: String) -> JSONValue {
  objectSchema(["items": arraySchema(schema(name)), "next": optionalString])
}
