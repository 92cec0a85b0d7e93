// Moves the write-ahead log into the database file, off the commit path.

import Dispatch
import Foundation
import GRDB

/// Checkpoints on a connection and a queue of its own.
///
/// SQLite's automatic checkpoint runs inside a commit and makes one in a thousand slow; without any, the log grows
/// without bound. So: every half second a passive checkpoint when the log holds more than 1 MiB. Where the log is longer
/// than 64 MiB, a truncating one follows, so that the log begins anew. That one holds the writer's lock, so it comes when
/// the passive one has left it next to nothing to do, and gives up at once where a reader or a commit is in its way.
///
/// `@unchecked`: dispatch sources are safe to cancel from any thread, but not declared so.
final class Checkpointer: @unchecked Sendable {
  private static let worthwhile = 1 << 20
  private static let bound = 64 << 20

  private let path: String
  private let connection: DatabaseQueue
  private let timer: any DispatchSourceTimer
  private let queue = DispatchQueue(label: "martlet.checkpoint", qos: .utility)

  init(path: String) throws {
    var configuration = Configuration()
    configuration.label = "martlet.checkpoint"
    // Patient while it opens: whoever closes a connection to the same file holds all locks of it for a moment (SQLite
    // asks whether it is the last one), and a busy disk can make that moment long.
    configuration.busyMode = .timeout(Store.patience)
    let connection = try DatabaseQueue(path: path, configuration: configuration)
    // From here on it gives up at once.
    try connection.inDatabase { try $0.execute(sql: "PRAGMA busy_timeout = 0") }
    let timer = DispatchSource.makeTimerSource(queue: queue)
    timer.schedule(deadline: .now() + 0.5, repeating: 0.5, leeway: .milliseconds(100))
    timer.setEventHandler {
      let size = Self.size(ofLog: path)
      guard size > Self.worthwhile else { return }
      do {
        _ = try connection.writeWithoutTransaction { db in
          try db.checkpoint(.passive)
          if size > Self.bound { try db.checkpoint(.truncate) }
        }
      } catch let error as DatabaseError where error.resultCode == .SQLITE_BUSY {
        // A reader or a commit is in the way: the next round finds it gone.
        return
      } catch {
        FileHandle.standardError.write(Data("martlet: checkpoint of \(path): \(error)\n".utf8))
      }
    }
    self.path = path
    self.connection = connection
    self.timer = timer
    timer.activate()
  }

  private static func size(ofLog path: String) -> Int {
    let attributes = try? FileManager.default.attributesOfItem(atPath: "\(path)-wal")
    return (attributes?[.size] as? NSNumber)?.intValue ?? 0
  }

  /// Moves all of the log into the file, which gets as short as its pages are, and empties the log: for times without work.
  ///
  /// - Parameter always: also when the log is short.
  func empty(always: Bool) throws {
    guard always || Self.size(ofLog: path) > Self.worthwhile else { return }
    try queue.sync {
      do {
        _ = try connection.writeWithoutTransaction { try $0.checkpoint(.truncate) }
      } catch let error as DatabaseError where error.resultCode == .SQLITE_BUSY {
        // A reader or a commit is in the way: no time without work.
        return
      }
    }
  }

  /// Returns when no checkpoint runs any more and the connection is closed.
  func stop() throws {
    timer.cancel()
    queue.sync {}
    try connection.close()
  }
}
