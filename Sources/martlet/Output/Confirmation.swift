// A question before something that cannot be undone.

import Foundation

enum Confirmation {
  /// Asks on the terminal; without one, only `isGiven` counts.
  ///
  /// - Parameters:
  ///   - question: what will happen, as a question.
  ///   - isGiven: `--yes` was there.
  /// - Throws: `Failure` when the answer is no, or nobody can be asked.
  static func ask(_ question: String, isGiven: Bool) throws {
    guard !isGiven else { return }
    guard Terminal.inputIsTerminal, Terminal.errorIsTerminal else {
      throw Failure(
        .usage, "This cannot be undone, and there is no terminal to ask on.",
        hint: "Add --yes to do it without a question.")
    }
    try Terminal.write("\(question) [y/N] ", to: STDERR_FILENO)
    let answer = readLine()?.trimmingCharacters(in: .whitespaces).lowercased() ?? ""
    guard answer == "y" || answer == "yes" else { throw Failure(.failed, "Nothing was changed.") }
  }
}
