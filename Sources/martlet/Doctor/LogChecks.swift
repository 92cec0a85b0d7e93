// What runs printed: how much there is, and whether it is as long as the index of its times says.

import CDispatch  // where the module map puts struct stat
import Foundation

struct LogChecks {
  /// The data directory.
  let path: String
  /// Whether all records are read, not only the last of each output.
  let isDeep: Bool

  private static let recordLength = 17
  private static let recordsAtOnce = 1 << 16
  private static let outputs = ["stdout.log", "stderr.log"]

  /// Nothing when no run has a directory yet.
  func all() async throws -> [Check] {
    guard access("\(path)/runs", F_OK) == 0 else { return [] }
    return [try await blocking { look() }]
  }

  private func look() -> Check {
    var (logs, bytes) = (0, Int64(0))
    var faults: [String] = []
    for run in names("runs") {
      for name in names("runs/\(run)") where name.hasPrefix("attempt-") || name.hasPrefix("log-") {
        let place = "runs/\(run)/\(name)"
        let sizes = Self.outputs.map { size("\(place)/\($0)") }
        guard sizes.contains(where: { $0 != nil }) else { continue }
        logs += 1
        bytes += sizes.reduce(0) { $0 + ($1 ?? 0) }
        if let fault = fault(in: place) { faults.append(fault) }
      }
    }
    let found = "\(Words.count(Int64(logs), "log")), \(Words.bytes(bytes))"
    guard let first = faults.first else {
      let read = isDeep ? "all records read" : "the last compared; --deep reads all"
      return Check("logs", .ok, "\(found): as long as their times say (\(read)).")
    }
    let rest = faults.count > 1 ? " And \(faults.count - 1) more." : ""
    return Check(
      "logs", .warning, "\(found). \(first)\(rest)",
      hint: "A power cut may take the end of a log, and a program may empty it. What is there is shown.")
  }

  private func names(_ folder: String) -> [String] {
    ((try? FileManager.default.contentsOfDirectory(atPath: "\(path)/\(folder)")) ?? []).sorted()
  }

  /// Nil: there is no such file.
  private func size(_ name: String) -> Int64? {
    var entry = stat()
    guard lstat("\(path)/\(name)", &entry) == 0, entry.st_mode & S_IFMT == S_IFREG else { return nil }
    return Int64(entry.st_size)
  }

  /// What is wrong with the index of times (docs/supervisor.md); nil: nothing.
  private func fault(in place: String) -> String? {
    guard let file = FileHandle(forReadingAtPath: "\(path)/\(place)/log.idx") else { return nil }
    defer { try? file.close() }
    do {
      let count = try file.seekToEnd() / UInt64(Self.recordLength)
      // The last records: those of both outputs are among them, as a rule.
      let first = isDeep ? 0 : count - min(count, 64)
      try file.seek(toOffset: first * UInt64(Self.recordLength))
      var last: [Int64] = [0, 0]
      while let data = try file.read(upToCount: Self.recordLength * Self.recordsAtOnce), !data.isEmpty {
        let bytes = [UInt8](data)
        for start in stride(from: 0, to: bytes.count - bytes.count % Self.recordLength, by: Self.recordLength)
        {
          let stream = Int(bytes[start + 8]) - 1
          let word = bytes[start + 9..<start + 17].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
          guard (0...1).contains(stream), let size = Int64(exactly: word) else {
            return "\(place)/log.idx is damaged."
          }
          guard size >= last[stream] else {
            return "\(place)/\(Self.outputs[stream]) was emptied by its program."
          }
          last[stream] = size
        }
      }
      // Asked now: bytes are written before the record that tells of them.
      for (name, noted) in zip(Self.outputs, last) {
        let there = size("\(place)/\(name)") ?? 0
        if there < noted { return "\(place)/\(name) had \(noted) bytes; \(there) are there." }
      }
      return nil
    } catch {
      return "\(place)/log.idx cannot be read."
    }
  }
}
