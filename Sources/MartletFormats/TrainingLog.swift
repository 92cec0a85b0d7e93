// The metrics of a program that logs to a file of its own: ghost's training_log.json.

import MartletModel
package import OrderedCollections

/// A JSON list with an object for every evaluation, rewritten as a whole each time.
package struct TrainingLog: Sendable, Hashable {
  /// The file's name in the run's directory.
  package static let filename = "training_log.json"

  package struct Entry: Sendable, Hashable {
    package var step: Int64
    /// The numbers of the entry in the order of the file, without the step; lists are left out.
    package var metrics: OrderedDictionary<String, Double>
  }

  package var entries: [Entry]

  /// - Throws: `JSONMemberError` or `JSONSyntaxError` for a text that is no such list.
  package init(_ text: some Collection<UInt8>) throws {
    guard case .array(let items) = try JSONValue.parse(text) else {
      throw JSONMemberError(key: Self.filename, message: "must hold a list")
    }
    entries = []
    for (index, item) in items.enumerated() {
      let reader = try JSONReader(item, path: "\(Self.filename)[\(index)]")
      let step = try reader.int("step") ?? Int64(index)
      var metrics: OrderedDictionary<String, Double> = [:]
      for (name, value) in reader.members where name != "step" {
        if let number = value.double { metrics[name] = number }
      }
      entries.append(Entry(step: step, metrics: metrics))
    }
  }
}
