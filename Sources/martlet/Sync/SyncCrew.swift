// Several spools on their way, one after the other, and over again while they are followed.

import Foundation
import MartletModel

struct SyncCrew {
  private let connection: ConnectionOptions
  private let patience: Duration
  private let follows: Bool
  private let interrupts: Interrupts
  private(set) var reports: [SpoolReport]
  private var senders: [String: (lock: SenderLock, sender: SpoolSender)] = [:]
  private var progress = ProgressLine()

  private static let look: Duration = .milliseconds(250)

  init(
    spools: [String], connection: ConnectionOptions, patience: Duration, follows: Bool, interrupts: Interrupts
  ) {
    (self.connection, self.patience, self.follows) = (connection, patience, follows)
    self.interrupts = interrupts
    reports = spools.map { SpoolReport(spool: $0) }
  }

  /// Ends when all are sent, or left to others; with `follows` when all programs have ended. Ctrl-C ends it too.
  mutating func work() async throws {
    var open = Array(reports.indices)
    while !open.isEmpty {
      var next: [Int] = []
      for index in open where !interrupts.arePending {
        await pass(index)
        switch reports[index].state {
        case .running, .elsewhere: next.append(index)
        case .sent, .empty, .unsent, .refused: senders[reports[index].spool] = nil
        }
      }
      open = next
      guard follows, !interrupts.arePending, !open.isEmpty else { break }
      await interrupts.pause(for: Self.look)
    }
    progress.clear()
  }

  private mutating func pass(_ index: Int) async {
    let path = reports[index].spool
    do {
      guard let (lock, known) = try await crewed(index) else { return }
      var sender = known
      defer {
        senders[path] = (lock, sender)
        reports[index].run = sender.runID
        (reports[index].rows, reports[index].files) = (sender.rows, sender.files)
        reports[index].bytes = sender.bytes
      }
      var line = progress
      defer { progress = line }
      if follows { try await sender.heartbeat() }
      switch try await sender.pass({ Self.show($0, &line) }) {
      case .delivered:
        SpoolPlace.remove(sender.spool)
        reports[index].state = .sent
        let isTorn = sender.spool.hasMore
        reports[index].message = isTorn ? "Its end is torn: what lies behind is no whole record." : nil
      case .clientGoesOn:
        reports[index].state = .running
        reports[index].message = "Its program goes on; all it has logged by now is sent."
      }
    } catch let failure as Failure {
      let isRefusal = failure.refusal != nil && !failure.isPassing
      reports[index].state = isRefusal ? .refused : .unsent
      reports[index].message = failure.inOneLine
      if isRefusal { senders[path]?.sender.spool.note(error: failure.inOneLine) }
    } catch {
      // Ctrl-C: what is said of it, the command says.
      reports[index].state = .unsent
      reports[index].message = "It was stopped."
    }
  }

  private static func show(_ sender: SpoolSender, _ progress: inout ProgressLine) {
    let spool = sender.spool
    progress.draw(
      "\(sender.runID ?? "")  \(100 * spool.position / max(1, spool.size)) % of \(Words.bytes(spool.size))  "
        + Words.count(Int64(sender.rows), "row"))
  }

  /// The sender of a spool, with its lock; nil when another one is at it, or has just been done with it.
  private mutating func crewed(_ index: Int) async throws -> (lock: SenderLock, sender: SpoolSender)? {
    let path = reports[index].spool
    if let known = senders[path] { return known }
    switch SenderLock.take(for: path) {
    case .held(let pid):
      reports[index].state = .elsewhere
      let holder = pid.map { "process \($0)" } ?? "another process"
      reports[index].message = "A sender is at it already: \(holder)."
      return nil
    case .taken(let lock):
      guard access(path, F_OK) == 0 else {
        unlink(path.dropLast(SpoolFile.suffix.count) + ".sender")
        reports[index].state = .sent
        reports[index].message = "Another sender has sent it."
        return nil
      }
      switch try SpoolPlace.removeEmpty(path) {
      case .removed:
        reports[index].state = .empty
        reports[index].message = "There was nothing in it: its program was killed as it began."
        return nil
      case .clientLives:
        reports[index].state = .running
        reports[index].message = "Its program has just begun."
        return nil
      case .holdsSomething: break
      }
      let spool = try SpoolFile(path: path)
      reports[index].run = spool.run
      let place = try place(of: spool)
      guard let client = try place.client() else { throw place.nothingUp }
      return (lock, SpoolSender(spool, client, patience: patience, interrupts: interrupts))
    }
  }

  /// The server that was named; else the one of this machine. A token goes to no address that only a file names.
  private func place(of spool: SpoolFile) throws -> ServerPlace {
    let place = try connection.place()
    guard connection.url == nil, connection.data == nil, place.namedURL == nil,
      let text = spool.first["url"]?.string, let url = try? ServerPlace.parse(text),
      !ServerPlace.isLoopback(url)
    else { return place }
    throw Failure(
      .usage, "Its run is on \(Terminal.plain(text)), which was not named.",
      hint: "martlet sync --url \(Words.command([Terminal.plain(text)])) sends it there.")
  }
}
