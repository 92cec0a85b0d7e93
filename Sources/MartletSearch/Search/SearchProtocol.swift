// The line protocol of `martlet sweep serve`: one JSON object a line in, one out.

import MartletModel

/// Answers the requests of the line protocol.
public struct SearchProtocol: Sendable {
  /// Whether `shutdown` was asked for.
  public private(set) var isOver = false

  public init() {}

  /// The answer to one line, without a line break.
  public mutating func answer(_ line: String) -> String {
    isOver = true
    return line
  }
}
