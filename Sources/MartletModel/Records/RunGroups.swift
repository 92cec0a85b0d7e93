// Runs in groups: which fields they have in common, and what their metrics come to.

import OrderedCollections

/// How runs are to be grouped.
public struct RunGrouping: Sendable, Hashable {
  /// One or more fields: runs that are alike in all of them are a group.
  public var by: [FilterField]
  /// Fields with numbers to sum up.
  public var values: [FilterField]
  /// A field of `by`, or one of `values` (by its mean); nil: the count.
  public var sort: FilterField?
  public var isDescending: Bool

  public init(
    by: [FilterField], values: [FilterField] = [], sort: FilterField? = nil, isDescending: Bool = true
  ) {
    (self.by, self.values, self.sort, self.isDescending) = (by, values, sort, isDescending)
  }
}

/// Runs that are alike in some fields.
public struct RunGroup: Sendable, Hashable {
  /// A value for each field; nil: the runs lack it.
  public var key: [FilterScalar?]
  /// A filter that these runs alone pass; nil: it would be larger than a filter may be.
  public var filter: FilterExpression?
  public var count: RunCount
  /// By the names that were asked for; nil where no run has a finite number.
  public var values: [(name: String, statistics: GroupStatistics?)]

  public init(
    key: [FilterScalar?], filter: FilterExpression?, count: RunCount,
    values: [(name: String, statistics: GroupStatistics?)]
  ) {
    (self.key, self.filter, self.count, self.values) = (key, filter, count, values)
  }

  public static func == (a: RunGroup, b: RunGroup) -> Bool { a.json == b.json }
  public func hash(into hasher: inout Hasher) { hasher.combine(json) }

  public var json: JSONValue {
    [
      "key": .array(key.map { $0.map(\.json) ?? .null }), "filter": JSONValue(filter?.description),
      "count": .int(Int64(count.total)), "states": count.json["states"] ?? [:],
      "values": .object(
        JSONObject(values.map { ($0.name, $0.statistics?.json ?? .null) }, uniquingKeysWith: { $1 })),
    ]
  }
}

extension FilterScalar {
  /// As JSON has it; a list stays the text that filters see.
  public var json: JSONValue {
    switch self {
    case .null: .null
    case .bool(let flag): .bool(flag)
    case .number(.int(let number)): .int(number)
    case .number(.double(let number)): .double(number)
    case .notANumber: .double(.nan)
    case .text(let text): .string(text)
    }
  }
}
