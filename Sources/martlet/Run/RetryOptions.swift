// What follows when a command goes wrong: options of `martlet run -- CMD`.

import ArgumentParser
import MartletModel
import OrderedCollections

struct RetryOptions: ParsableArguments {
  @Option(
    name: .long,
    help: ArgumentHelp(
      "Tries after a failure: 2, or by cause: infra=3,failure=1,oom=0,timeout=0.", valueName: "n"))
  var retries: String?

  @Option(
    name: .long,
    help: ArgumentHelp("Time before the first retry; it doubles. (default: 1s)", valueName: "span")
  )
  var retryPause: String?

  private static let causes = ["infra", "failure", "oom", "timeout"]

  func validate() throws { _ = try members() }

  /// The members of POST /executions that these options stand for.
  func members() throws -> JSONObject {
    var members: JSONObject = [:]
    if let retries { members["retries"] = try Self.retries(retries) }
    if let retryPause {
      guard retryPause == "0" || Words.seconds(retryPause) != nil else {
        throw ValidationError("--retry-pause '\(retryPause)' is no time span; write 2s or 5m.")
      }
      members["retry_pause"] = .double(Words.seconds(retryPause) ?? 0)
    }
    return members
  }

  /// "3" or "infra=3,failure=1".
  private static func retries(_ text: String) throws(ValidationError) -> JSONValue {
    if let count = Int64(text), count >= 0 { return .int(count) }
    var causes: JSONObject = [:]
    for part in text.split(separator: ",", omittingEmptySubsequences: false) {
      let words = part.split(separator: "=", maxSplits: 1).map(String.init)
      guard words.count == 2, let count = Int64(words[1]), count >= 0 else {
        throw ValidationError("--retries '\(text)' is none; write 2, or infra=3,failure=1.")
      }
      guard Self.causes.contains(words[0]) else {
        let meant = nearest(to: words[0], in: Self.causes).map { " Did you mean '\($0)'?" } ?? ""
        throw ValidationError(
          "--retries knows no '\(words[0])'.\(meant) There are \(Self.causes.joined(separator: ", ")).")
      }
      causes[words[0]] = .int(count)
    }
    return .object(causes)
  }
}
