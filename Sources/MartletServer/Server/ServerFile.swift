// server.json: how programs of this account find the server that is up.

import Glibc
import MartletModel
import MartletTracking

struct ServerFile: Sendable {
  private let file: PrivateFile

  init(data: String) { file = PrivateFile(data + "/server.json") }

  /// Readable by this account alone, and never half there.
  func write(url: String, startedAt: Timestamp) async throws {
    let content: JSONValue = [
      "url": .string(url), "pid": .int(Int64(getpid())), "started_at": JSONValue(startedAt),
      "version": .string(martletVersion),
    ]
    let (text, file) = (content.text + "\n", file)
    try await blocking { try file.write(text) }
  }

  func remove() async throws {
    let file = file
    try await blocking { try file.remove() }
  }
}
