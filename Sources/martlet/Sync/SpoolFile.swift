// The reading end of one spool: pieces of rows, what else its client told, and what is done (docs/spool.md).

import CDispatch  // where the module map puts struct stat
import Foundation
import MartletModel
import MartletSeries
import OrderedCollections

/// What one look at a spool gave.
struct SpoolPiece {
  /// The body of `POST /runs/:run/log`: records as they lie in the file, led by the names they use.
  var body: [UInt8] = []
  var rows = 0
  var firstSequence: Int64 = 0
  var nextSequence: Int64 = 0
  /// For `PATCH /runs/:run`.
  var patch: JSONObject = [:]
  /// The SHA-256 of files that the rows name.
  var blobs: [String] = []
  /// A directory whose git repository is to be told.
  var workdir: String?
  /// Files of the run, by their names: `sha256` and `size`.
  var files: JSONObject = [:]
  /// For `POST /runs/:run/alerts`.
  var alerts: [JSONValue] = []
  /// Nothing more was to be read.
  var isComplete = true
}

/// One spool file, read from its beginning.
final class SpoolFile {
  let path: String
  /// The first record.
  let first: JSONValue
  let client: String
  /// The run it is of; nil: it was kept offline.
  let run: String?
  /// Whether the run is no attempt of Martlet's.
  let isFromOutside: Bool

  /// What lies beside it.
  let beside: SpoolBeside

  private let descriptor: Int32
  /// Bytes that are read.
  private(set) var position: Int64 = 0
  /// The client said that it has ended, and how.
  private(set) var end: JSONObject?
  /// The server has all rows below it.
  private(set) var nextSequence: Int64
  /// What records before this byte told is known to the server.
  private var toldBytes: Int64
  private var names: [UInt32: String] = [:]
  private var noted: JSONObject
  private var isClientGone = false

  private static let pieceBytes = 1 << 20
  static let suffix = ".spool"

  /// - Throws: `Failure` when it cannot be read, or does not begin as a spool.
  init(path: String) throws {
    self.path = path
    descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
    guard descriptor >= 0 else {
      let code = errno
      throw Failure(
        code == ENOENT ? .notFound : .notPermitted,
        "\(path) cannot be read: \(String(cString: strerror(code))).")
    }
    let noted = Self.json(at: path.dropLast(Self.suffix.count) + ".ack")
    nextSequence = noted["next_seq"]?.int ?? 0
    toldBytes = noted["offset"]?.int ?? 0
    self.noted = noted.object ?? [:]
    beside = SpoolBeside(stem: String(path.dropLast(Self.suffix.count)), noted: noted)
    let head = Self.read(descriptor, from: 0, count: Self.pieceBytes)
    let first = head.withUnsafeBytes { bytes -> JSONValue? in
      var reader = LogRecordReader(bytes)
      guard let record = reader.next(), record.kind == .info else { return nil }
      return try? JSONValue.parse(record.payload)
    }
    guard let first, first["format"]?.int == 1, let client = first["client"]?.string else {
      close(descriptor)
      throw Failure(.wrongInput, "\(path) does not begin as a spool of format 1 does.")
    }
    (self.first, self.client) = (first, client)
    run = first["run"]?.string
    isFromOutside = first["outside"]?.bool ?? true
  }

  deinit { close(descriptor) }

  var stem: String { String(path.dropLast(Self.suffix.count)) }
  var directory: String { URL(fileURLWithPath: path).deletingLastPathComponent().path }

  /// Bytes.
  var size: Int64 {
    var entry = stat()
    return fstat(descriptor, &entry) == 0 ? Int64(entry.st_size) : 0
  }

  var hasMore: Bool { size > position }

  // MARK: - Reading

  /// The next rows, up to about a megabyte of them.
  func read() -> SpoolPiece {
    var piece = SpoolPiece()
    var chunk = Self.read(descriptor, from: position, count: Self.pieceBytes)
    var whole = wholeBytes(of: chunk)
    if whole == 0, chunk.count == Self.pieceBytes, let length = longRecord(chunk) {
      chunk = Self.read(descriptor, from: position, count: length)
      whole = wholeBytes(of: chunk)
      piece.isComplete = whole == 0
    } else {
      // Less than was asked for: the file ends here, maybe within a record that is being written.
      piece.isComplete = whole == 0 || chunk.count < Self.pieceBytes
    }
    take(chunk[..<whole], into: &piece)
    return piece
  }

  private func wholeBytes(of chunk: [UInt8]) -> Int {
    chunk.withUnsafeBytes { bytes in
      var reader = LogRecordReader(bytes)
      while let record = reader.next() {
        if record.kind == .end { break }
      }
      return reader.offset
    }
  }

  /// The length of the record that `chunk` begins with, when the file has all of it.
  private func longRecord(_ chunk: [UInt8]) -> Int? {
    let length = Int(chunk.withUnsafeBytes { UInt32(littleEndian: $0.loadUnaligned(as: UInt32.self)) }) + 8
    return length <= LogRecord.longest + 8 && size - position >= Int64(length) ? length : nil
  }

  private func take(_ records: ArraySlice<UInt8>, into piece: inout SpoolPiece) {
    var lead: [UInt8] = []
    var rows: Range<Int>?
    records.withUnsafeBytes { bytes in
      var reader = LogRecordReader(bytes)
      while let record = reader.next() {
        switch record.kind {
        case .points, .row:
          guard let sequence = Int64(exactly: record.sequence), sequence >= nextSequence else { continue }
          if rows == nil {
            piece.firstSequence = sequence
            lead = SpoolNames.lead(names, before: record.sequence)
          }
          rows = (rows?.lowerBound ?? record.offset)..<reader.offset
          piece.nextSequence = sequence + 1
          piece.rows += 1
        case .info: learn(record, endingAt: position + Int64(reader.offset), into: &piece)
        case .end:
          end = record.payload.isEmpty ? [:] : (try? JSONValue.parse(record.payload))?.object ?? [:]
          piece.isComplete = true
        case nil: continue
        }
      }
      if let rows { piece.body = lead + bytes[rows] }
    }
    position += Int64(records.count)
  }

  private func learn(_ record: LogRecord, endingAt offset: Int64, into piece: inout SpoolPiece) {
    guard let info = try? JSONValue.parse(record.payload) else { return }
    for (name, number) in info["names"]?.object ?? [:] {
      if let number = number.int.flatMap(UInt32.init(exactly:)) { names[number] = name }
    }
    if Int64(exactly: record.sequence) ?? 0 >= nextSequence {
      piece.blobs += (info["blobs"]?.object ?? [:]).keys.filter { !piece.blobs.contains($0) }
    }
    guard offset > toldBytes else { return }
    for (key, value) in info["patch"]?.object ?? [:] {
      // Of these the parts are told one after the other.
      let isInParts = ["config", "metrics", "summary"].contains(key)
      piece.patch[key] = isInParts ? piece.patch[key]?.merging(value) ?? value : value
    }
    if let config = info["config"] {
      piece.patch["config"] = piece.patch["config"]?.merging(config) ?? config
    }
    for (name, file) in info["files"]?.object ?? [:] { piece.files[name] = file }
    if let alert = info["alert"] { piece.alerts.append(alert) }
    piece.workdir = info["capture"]?["workdir"]?.string ?? piece.workdir
  }

  static func read(_ descriptor: Int32, from offset: Int64, count: Int) -> [UInt8] {
    [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
      while filled < count {
        let more = pread(
          descriptor, buffer.baseAddress.map { $0 + filled }, count - filled, off_t(offset) + off_t(filled))
        if more < 0, errno == EINTR { continue }
        guard more > 0 else { return }
        filled += more
      }
    }
  }

  // MARK: - What is done

  /// The server has a piece's rows.
  func delivered(_ piece: SpoolPiece) { nextSequence = piece.nextSequence }

  /// The server has less than was thought: from this row on, again.
  func rewind(to sequence: Int64) {
    (nextSequence, position, end) = (sequence, 0, nil)
    names.removeAll()
  }

  /// Notes for a later sender what is done. Without the note it sends too much, of which the server keeps nothing twice.
  func acknowledge() {
    toldBytes = max(toldBytes, position)
    var new: JSONObject = ["next_seq": .int(nextSequence), "offset": .int(toldBytes)]
    for (key, value) in beside.mark { new[key] = value }
    guard new != noted else { return }
    if Self.replace(stem + ".ack", through: stem + ".ack.new", with: .object(new)) { noted = new }
  }

  /// What the server refused, for the client to say at its end.
  func note(error message: String) {
    let file = open(stem + ".error", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0o600)
    guard file >= 0 else { return }
    let line = Array((message + "\n").utf8)
    // On a full disk it is said on the terminal only.
    _ = write(file, line, line.count)
    close(file)
  }

  /// A JSON object in a file; empty when there is none, or one that a power cut tore.
  static func json(at path: some StringProtocol) -> JSONValue {
    guard let bytes = FileManager.default.contents(atPath: String(path)),
      let json = try? JSONValue.parse(bytes),
      json.object != nil
    else { return [:] }
    return json
  }

  /// Writes a JSON file under another name and gives it its own; false when that was not possible.
  static func replace(_ path: String, through temporary: String, with json: JSONValue) -> Bool {
    let file = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0o600)
    guard file >= 0 else { return false }
    let bytes = json.bytes()
    let isWritten = write(file, bytes, bytes.count) == bytes.count
    return close(file) == 0 && isWritten && rename(temporary, path) == 0
  }

  // MARK: - Its client

  /// Whether the program that writes it is there. It holds a lock for as long as it lives; where the file system knows none,
  /// its process id counts.
  var isClientAlive: Bool {
    guard !isClientGone else { return false }
    if first["lock"]?.bool == true {
      if flock(descriptor, LOCK_SH | LOCK_NB) == 0 {
        isClientGone = true
      } else if errno != EWOULDBLOCK {
        isClientGone = !isProcessAlive
      }
    } else {
      isClientGone = !isProcessAlive
    }
    return !isClientGone
  }

  private var isProcessAlive: Bool {
    guard let pid = first["pid"]?.int.flatMap({ Int32(exactly: $0) }), pid > 0 else { return false }
    return ProcessTable.isAlive(pid)
  }
  /// Whether a later start of the same run goes on in this directory: then the run is not this client's to end any more.
  func hasSuccessor(run: String) -> Bool {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
    return names.contains { name in
      let other = "\(directory)/\(name)"
      guard name.hasSuffix(Self.suffix), other != path, let spool = try? SpoolFile(path: other) else {
        return false
      }
      return spool.run == run && spool.first["finish"]?.bool == true && spool.isClientAlive
    }
  }
}
