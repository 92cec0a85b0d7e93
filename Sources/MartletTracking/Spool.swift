// What a client wrote down but could not send: its spool files, read by the server after an attempt has ended.

import Foundation
package import MartletModel
package import MartletSeries
import OrderedCollections

/// One spool file's content, as far as it is whole. The format is described in docs/spool.md.
package struct Spool: Sendable {
  package var client: String
  /// In the order of the file, each batch going on where the one before ended.
  package var batches: [RowBatch]
  /// Changes of the run that the sender may not have told: the body of `PATCH /runs/:run`.
  package var patch: JSONValue
  /// The reason that the client gave for its end, such as an uncaught exception.
  package var endReason: String?
  /// Bytes behind the last whole record: a write that was cut off.
  package var tornBytes: Int

  /// Rows of one batch, at most.
  private static let batchRows = 1_000
  /// Bytes of records with which a batch ends: each becomes one block of the database, whose values have a longest.
  private static let batchBytes = 8 << 20

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

  /// Reads records until the first whose length or checksum does not fit, or that is a row and cannot follow.
  ///
  /// - Parameter toldBytes: what info records before this byte say is known to the server.
  package static func read(_ bytes: [UInt8], client: String, toldBytes: Int = 0) -> Spool {
    var spool = Spool(client: client, batches: [], patch: [:], endReason: nil, tornBytes: 0)
    bytes.withUnsafeBytes { raw in
      var reader = LogRecordReader(raw)
      var rows = LogRecords(skipsUnnamed: true)
      var end = 0
      var bytes = 0
      while let record = reader.next() {
        do {
          try rows.add(record)
        } catch {
          // No client writes such a row: what follows it is not trusted either.
          break
        }
        end = reader.offset
        switch record.kind {
        case .info where record.offset >= toldBytes: spool.take(info: record.payload)
        case .end where !record.payload.isEmpty:
          spool.endReason = (try? JSONValue.parse(record.payload))?["reason"]?.string
        case .info, .end, .points, .row, nil: break
        }
        bytes += record.payload.count
        if rows.count == batchRows || bytes >= batchBytes, let batch = rows.take() {
          spool.batches.append(batch)
          bytes = 0
        }
      }
      if let batch = rows.take() { spool.batches.append(batch) }
      spool.tornBytes = raw.count - end
    }
    return spool
  }

  /// Of configuration, definitions and summary, what several records say is told together.
  private mutating func lay(_ value: JSONValue, at key: String) {
    let isInParts = ["config", "metrics", "summary"].contains(key)
    patch = patch.merging([key: isInParts ? patch[key]?.merging(value) ?? value : value])
  }

  private mutating func take(info payload: UnsafeRawBufferPointer) {
    guard let json = try? JSONValue.parse(payload) else { return }
    if let config = json["config"] { lay(config, at: "config") }
    for (key, value) in json["patch"]?.object ?? [:] { lay(value, at: key) }
  }
}
