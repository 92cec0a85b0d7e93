// What a client wrote down but could not send: its spool files, read by the server after an attempt has ended.

import Foundation
package import MartletModel
import MartletSeries
import MartletStore
import OrderedCollections

/// One spool file's content, as far as it is whole. The format is described in docs/spool.md.
package struct Spool: Sendable {
  package var client: String
  /// By sequence number, from 0 without gaps.
  package var rows: [LogRow]
  /// Changes of the run that the sender may not have told: the body of `PATCH /runs/:run`.
  package var patch: JSONValue
  /// The reason that the client gave for its end, such as an uncaught exception.
  package var endReason: String?
  /// Bytes behind the last whole record: a write that was cut off.
  package var tornBytes: Int

  /// A longer record is damage.
  private static let longest = (1 << 26) - 1

  private enum Kind: UInt8 {
    case points = 0
    case info = 1
    case end = 2
    case row = 3
  }

  /// The names of a directory's spool files, in order; an absent directory has none.
  package static func names(in directory: String) throws -> [String] {
    do {
      return try FileManager.default.contentsOfDirectory(atPath: directory)
        .filter { $0.hasSuffix(".spool") }.sorted()
    } catch CocoaError.fileReadNoSuchFile, CocoaError.fileNoSuchFile {
      return []
    }
  }

  /// One spool file, with what its `.ack` says is told. A file that is gone by now is an empty spool.
  package static func read(path: String) throws -> Spool {
    let client = URL(fileURLWithPath: path).deletingPathExtension().lastPathComponent
    guard let bytes = try contents(of: path) else { return read([], client: client) }
    // No .ack, or one that is not whole: nothing of it is known to be told.
    let ack = try contents(of: "\(path.dropLast(".spool".count)).ack").flatMap { try? JSONValue.parse($0) }
    return read(bytes, client: client, toldBytes: ack?["offset"]?.int.map(Int.init) ?? 0)
  }

  /// Nil: there is no such file.
  private static func contents(of path: String) throws -> [UInt8]? {
    do {
      return [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
    } catch CocoaError.fileReadNoSuchFile, CocoaError.fileNoSuchFile {
      return nil
    }
  }

  /// Reads records until the first whose length or checksum does not fit.
  ///
  /// - Parameter toldBytes: what info records before this byte say is known to the server.
  package static func read(_ bytes: [UInt8], client: String, toldBytes: Int = 0) -> Spool {
    var spool = Spool(client: client, rows: [], patch: [:], endReason: nil, tornBytes: 0)
    var names: [UInt32: String] = [:]
    var at = 0
    bytes.withUnsafeBytes { raw in
      func load<T: FixedWidthInteger>(_ offset: Int, as type: T.Type) -> T {
        T(littleEndian: raw.loadUnaligned(fromByteOffset: offset, as: type))
      }
      records: while raw.count - at >= 8 + 25 {
        let length = Int(load(at, as: UInt32.self))
        guard (25...longest).contains(length), raw.count - at - 8 >= length else { break }
        let body = at + 8
        let record = UnsafeRawBufferPointer(rebasing: raw[body..<(body + length)])
        guard CRC32.checksum(record) == load(at + 4, as: UInt32.self) else { break }
        let sequence = Int64(bitPattern: load(body, as: UInt64.self))
        let step = load(body + 8, as: Int64.self)
        let time = Timestamp(microseconds: load(body + 16, as: Int64.self))
        let payload = body + 25
        let size = length - 25
        switch Kind(rawValue: raw[body + 24]) {
        case .points:
          let count = size / 12
          var seen: [String: Int] = [:]
          var row = LogRow(sequence: sequence, step: step, time: time, numbers: [], others: [])
          for i in 0..<count {
            guard let name = names[load(payload + 4 * i, as: UInt32.self)] else { continue }
            let value = Double(bitPattern: load(payload + 4 * count + 8 * i, as: UInt64.self))
            seen[name] = row.numbers.count
            row.numbers.append((name, value))
          }
          // A row has a name once: of two ids that were given one name, the later value stands.
          if seen.count < row.numbers.count {
            row.numbers = row.numbers.enumerated().filter { seen[$0.element.name] == $0.offset }.map(
              \.element)
          }
          spool.rows.append(row)
        case .info:
          let json = try? JSONValue.parse(raw[payload..<(payload + size)])
          for (name, id) in json?["names"]?.object ?? [:] {
            // What no server would take as a name is none: numbers under it are left out.
            let name = name.inNormalForm
            let isName = MetricName.fault(of: name) == nil
            if let id = id.int { names[UInt32(truncatingIfNeeded: id)] = isName ? name : nil }
          }
          if at >= toldBytes {
            if let config = json?["config"] { spool.patch = spool.patch.merging(["config": config]) }
            if let patch = json?["patch"] { spool.patch = spool.patch.merging(patch) }
          }
        case .row:
          guard let values = (try? JSONValue.parse(raw[payload..<(payload + size)]))?.object else {
            break records
          }
          // A row that no server would take (a name of a kilobyte) keeps its number, so that those behind it count.
          let row = try? LogLines.row(values: values, sequence: sequence, step: step, time: time)
          spool.rows.append(
            row ?? LogRow(sequence: sequence, step: step, time: time, numbers: [], others: []))
        case nil: break  // of a later format: no row
        case .end:
          if size > 0 {
            spool.endReason = (try? JSONValue.parse(raw[payload..<(payload + size)]))?["reason"]?.string
          }
        }
        at += 8 + length
      }
    }
    spool.tornBytes = bytes.count - at
    return spool
  }
}
