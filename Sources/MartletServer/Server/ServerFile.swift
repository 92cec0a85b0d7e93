// server.json: how programs of this account find the server that is up.

import Glibc
import MartletModel
import MartletTracking

struct ServerFile: Sendable {
  let path: String

  init(data: String) { path = data + "/server.json" }

  /// Readable by this account alone, and never half there.
  func write(url: String, startedAt: Timestamp) async throws {
    let content: JSONValue = [
      "url": .string(url), "pid": .int(Int64(getpid())), "started_at": JSONValue(startedAt),
      "version": .string(martletVersion),
    ]
    let (text, path) = (content.text + "\n", path)
    try await blocking { try writePrivately(text, to: path) }
  }

  func remove() async throws {
    let path = path
    try await blocking {
      if unlink(path) != 0, errno != ENOENT { throw fileProblem("\(path) cannot be removed") }
    }
  }
}
