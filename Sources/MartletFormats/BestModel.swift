// The note beside the best checkpoint of a sweep.

import Foundation
package import MartletModel
import MartletSearch
package import OrderedCollections

/// What stands beside a copied best checkpoint, in `best_model_metadata.json`.
package struct BestModel: Sendable {
  /// SHA-256 of what was copied, in hexadecimal digits.
  package enum Digest: Sendable, Hashable {
    case file(String)
    /// Of each file of a folder, by its path in it.
    case folder(OrderedDictionary<String, String>)
  }

  package var runName: String
  package var runID: PublicID
  package var sweep: String
  /// Nested, as the file has them.
  package var parameters: JSONValue
  package var objective: Objective
  package var value: Double
  /// Where the checkpoint was copied from.
  package var sourcePath: String
  package var digest: Digest
  package var command: [String]
  package var gitCommit: String?
  /// When it was copied.
  package var time: Timestamp

  package init(
    runName: String, runID: PublicID, sweep: String, parameters: JSONValue, objective: Objective,
    value: Double,
    sourcePath: String, digest: Digest, command: [String], gitCommit: String?, time: Timestamp
  ) {
    self.runName = runName
    self.runID = runID
    self.sweep = sweep
    self.parameters = parameters
    self.objective = objective
    self.value = value
    self.sourcePath = sourcePath
    self.digest = digest
    self.command = command
    self.gitCommit = gitCommit
    self.time = time
  }

  /// The members of the file; `time` is ISO 8601 in UTC, since people read it. Of a folder `sha256` is null, and `files`
  /// has one for each of its files.
  package var metadata: JSONValue {
    var members: JSONObject = [
      "run_name": .string(runName), "run_id": .string(runID.rawValue), "sweep": .string(sweep),
      "parameters": parameters,
      "objective": [
        "name": .string(objective.metric), "goal": .string(objective.goal.rawValue), "value": .double(value),
      ],
      "source_path": .string(sourcePath),
    ]
    switch digest {
    case .file(let hash): members["sha256"] = .string(hash)
    case .folder(let hashes):
      members["sha256"] = .null
      members["files"] = .object(
        JSONObject(uniqueKeysWithValues: hashes.map { ($0.key, .string($0.value)) }))
    }
    members["command"] = JSONValue(command)
    members["git_commit"] = JSONValue(gitCommit)
    members["time"] = .string(
      Date(timeIntervalSince1970: Double(time.microseconds) / 1e6).formatted(.iso8601))
    return .object(members)
  }
}
