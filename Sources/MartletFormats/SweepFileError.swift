// What is wrong with a sweep file: where, what was expected, and what was probably meant.

package import MartletModel
import OrderedCollections

/// Everything that was found wrong with one sweep file; the first flaw decides the position.
package struct SweepFileError: Error, Hashable, Sendable, CustomStringConvertible {
  /// One thing that is wrong.
  package struct Flaw: Error, Hashable, Sendable {
    /// From 1.
    package var line: Int
    /// From 1.
    package var column: Int
    /// The path of the key it is about, like `parameters.lr.min`; nil for the file as a whole.
    package var key: String?
    /// What should be there, in words.
    package var expected: String?
    /// The valid name most like the one given.
    package var nearest: String?
    /// A sentence, without the suggestion.
    package var message: String

    /// `line:column: message; did you mean 'nearest'?`
    var text: String { "\(line):\(column): \(message)\(nearest.map { "; did you mean '\($0)'?" } ?? "")" }
  }

  package var filename: String?
  package var first: Flaw
  package var others: [Flaw]

  package var line: Int { first.line }
  package var column: Int { first.column }
  package var key: String? { first.key }
  package var expected: String? { first.expected }
  package var nearest: String? { first.nearest }
  package var message: String { first.message }
  package var flaws: [Flaw] { [first] + others }

  /// A line for every flaw: `sweep.yaml:7:5: unknown key 'metod'; did you mean 'method'?`
  package var description: String {
    let place = filename ?? "sweep file"
    return flaws.map { "\(place):\($0.text)" }.joined(separator: "\n")
  }

  /// The answer to a request that brought this file.
  package var problem: Problem {
    Problem(
      .unprocessable, description, hint: "Correct the file and run it again; nothing was started.",
      details: [
        "line": .int(Int64(line)), "column": .int(Int64(column)), "key": JSONValue(key),
        "expected": JSONValue(expected), "nearest": JSONValue(nearest),
      ])
  }
}
