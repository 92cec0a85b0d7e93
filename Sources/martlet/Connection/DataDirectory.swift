// What a server leaves in its data directory for the commands of the same account.

import Foundation
import MartletModel

/// A data directory as the command line sees it.
struct DataDirectory: Hashable, Sendable {
  /// Absolute.
  let path: String

  /// - Parameter name: nil: `~/.martlet`.
  init(_ name: String?, environment: [String: String]) {
    let home = environment["HOME"].flatMap { $0.isEmpty ? nil : $0 } ?? NSHomeDirectory()
    var name = name ?? "\(home)/.martlet"
    if name == "~" || name.hasPrefix("~/") { name = home + name.dropFirst() }
    path = URL(fileURLWithPath: name).standardizedFileURL.path
  }

  var serverFile: String { path + "/server.json" }
  var tokenFile: String { path + "/token" }
  var logFile: String { path + "/server.log" }
  var lockFile: String { path + "/lock" }

  /// `server.json`: what a running server says about itself.
  struct Announcement: Hashable, Sendable {
    var url: String
    var pid: Int32
  }

  /// The server that announced itself here and whose process still exists; one killed leaves its file behind.
  func announcement() throws -> Announcement? {
    guard let text = try contents(of: serverFile) else { return nil }
    guard let json = try? JSONValue.parse(text), let url = json["url"]?.string,
      let pid = json["pid"]?.int.flatMap({ Int32(exactly: $0) }), pid > 0
    else {
      throw Failure(
        .wrongInput, "\(serverFile) cannot be read as a server's announcement.",
        hint: "Delete it if no server is up on \(path).")
    }
    guard ProcessTable.isAlive(pid) else { return nil }
    return Announcement(url: url, pid: pid)
  }

  /// The local account's token; nil when no server has made one yet.
  func token() throws -> String? {
    try contents(of: tokenFile)?.trimmingCharacters(in: .whitespacesAndNewlines)
  }

  /// The text of a file; nil when it does not exist.
  private func contents(of file: String) throws -> String? {
    let descriptor = open(file, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else {
      let reason = errno
      // What stands in the way of the directory itself is for those to report who make it.
      if reason == ENOENT || reason == ENOTDIR { return nil }
      throw Failure(
        reason == EACCES ? .notPermitted : .internalError,
        "\(file) cannot be read: \(String(cString: strerror(reason))).",
        hint: "Give a token with --token or MARTLET_TOKEN, or ask as the account that runs the server.")
    }
    let handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
    return String(decoding: try handle.readToEnd() ?? Data(), as: UTF8.self)
  }
}
