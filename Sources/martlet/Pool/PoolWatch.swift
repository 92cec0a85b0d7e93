// `martlet pool watch`: the pool as it changes.

import ArgumentParser
import Foundation
import MartletModel

struct PoolWatch: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "watch",
    abstract: "Show the pool as it changes, until Ctrl-C.",
    discussion: """
      On a terminal it is drawn again in its place. Elsewhere each change is a line:
      its time, what happened, to whom.

      Examples:
        martlet pool watch
        martlet pool watch >> pool.log
      """)

  @OptionGroup var connection: ConnectionOptions

  /// Those who wait, of whom more than a terminal shows are of no use; lines tell of all.
  private static let shown = 200

  func run() async throws {
    let interrupts = Interrupts()
    var client = PatientClient(try connection.client(), interrupts: interrupts)
    let redraws = Terminal.outputIsTerminal && CallerEnvironment.current["TERM"] != "dumb"
    var (drawn, complaints) = (0, 0)
    var changes = PoolChanges()
    while true {
      let pool = try await client.get("/pool", query: [("limit", redraws ? String(Self.shown) : nil)])
      if redraws {
        if client.complaints > complaints { drawn = 0 }
        complaints = client.complaints
        drawn = try Self.draw(pool, over: drawn)
      } else {
        for line in changes.take(pool) { try Terminal.say("\(Words.iso(Words.now))  \(line)") }
      }
      if interrupts.arePending { throw ExitStatus.interrupted.code }
      await interrupts.pause(for: .seconds(1))
      if interrupts.arePending { throw ExitStatus.interrupted.code }
    }
  }

  /// Draws the pool over so many lines that were drawn before; returns how many there are now.
  private static func draw(_ pool: JSONValue, over drawn: Int) throws -> Int {
    let height = Terminal.outputHeight.map { max(1, $0 - 1) } ?? .max
    var lines = PoolGroup.lines(pool, width: Terminal.outputWidth, isColored: Terminal.usesColor)
    if lines.count > height {
      let hidden = lines.count - height + 1
      lines = lines.prefix(height - 1) + ["… \(Words.count(Int64(hidden), "more line"))"]
    }
    let back = drawn > 0 ? "\u{1B}[\(min(drawn, height))A\u{1B}[J" : ""
    // Without wrapping (DECAWM): a line that is too long must not become two.
    try Terminal.write(
      "\u{1B}[?7l" + back + lines.joined(separator: "\n") + "\n\u{1B}[?7h", to: STDOUT_FILENO)
    return lines.count
  }
}

/// What happened between two looks at the pool, in lines.
struct PoolChanges {
  private var running: [String: String] = [:]
  private var waiting: Set<String> = []
  private var standings: [Int64: String] = [:]
  private var isFirst = true

  /// What is another than at the look before; at the first, what there is.
  mutating func take(_ pool: JSONValue) -> [String] {
    var lines = isFirst ? [PoolGroup.summary(pool)] : []
    lines += devices(pool["devices"]?.array ?? [])
    let (before, waitedBefore) = (running, waiting)
    (running, waiting) = ([:], [])
    var begun: [String] = []
    for holding in pool["running"]?.array ?? [] {
      guard let key = Self.key(holding) else { continue }
      running[key] = PoolGroup.subject(holding)
      if before[key] == nil { begun.append("runs     \(PoolGroup.subject(holding))\(Self.place(holding))") }
    }
    for (key, subject) in before.sorted(by: { $0.key < $1.key }) where running[key] == nil {
      lines.append("left     \(subject)")
    }
    lines += begun
    for entry in pool["queue"]?.array ?? [] {
      guard let key = Self.key(entry) else { continue }
      waiting.insert(key)
      if waitedBefore.contains(key) { continue }
      lines.append("waits    \(PoolGroup.subject(entry)): \(Terminal.plain(entry["reason"]?.string ?? ""))")
    }
    isFirst = false
    return lines
  }

  private mutating func devices(_ devices: [JSONValue]) -> [String] {
    var lines: [String] = []
    for device in devices {
      guard let index = device["index"]?.int, let standing = device["standing"]?.string else { continue }
      defer { standings[index] = standing }
      guard standings[index] ?? "open" != standing else { continue }
      let reason = (device["standing_reason"]?.string).map { ": \(Terminal.plain($0))" } ?? ""
      lines.append("device   \(index) is \(standing)\(reason)")
    }
    return lines
  }

  /// An attempt; nil for those of other projects.
  private static func key(_ entry: JSONValue) -> String? {
    entry["run"]?.string.map { "\($0)/\(entry["attempt"]?.int ?? 0)" }
  }

  private static func place(_ holding: JSONValue) -> String {
    let devices = (holding["devices"]?.array ?? []).map(Words.value)
    guard !devices.isEmpty else { return "" }
    return " on \(devices.count == 1 ? "device" : "devices") \(devices.joined(separator: " "))"
  }
}
