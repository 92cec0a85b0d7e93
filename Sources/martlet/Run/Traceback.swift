// The part of a program's output that says what went wrong.

import Foundation

enum Traceback {
  private static let heading = "Traceback (most recent call last):"
  /// Lines at the end that stand for a traceback where there is none.
  private static let lines = 10
  /// Between the tracebacks of one exception that led to another.
  private static let links = [
    "During handling of the above exception, another exception occurred:",
    "The above exception was the direct cause of the following exception:",
  ]

  /// The last Python traceback in a text, with the exceptions that led to it; without one, the text's last lines.
  static func last(in text: String) -> String {
    let all = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    guard var first = all.lastIndex(where: { $0.hasSuffix(heading) }) else {
      return all.filter { !$0.allSatisfy(\.isWhitespace) }.suffix(lines).joined(separator: "\n")
    }
    while let link = all[..<first].lastIndex(where: { !$0.allSatisfy(\.isWhitespace) }),
      links.contains(all[link]), let earlier = all[..<link].lastIndex(where: { $0.hasSuffix(heading) })
    {
      first = earlier
    }
    return all[first...].joined(separator: "\n").trimmingCharacters(in: .newlines)
  }
}
