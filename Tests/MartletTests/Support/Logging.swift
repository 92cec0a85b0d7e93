// Runs from outside, logged to as any client does, and the spools that clients leave.

import Foundation
import MartletModel
import MartletSeries
import MartletTestSupport
import OrderedCollections

extension Workplace {
  /// Asks the server that is up here.
  @discardableResult
  func api(_ method: String, _ path: String, _ body: JSONValue? = nil) async throws -> JSONValue {
    try await api(method, path, text: body?.text, type: "application/json")
  }

  /// The same with a body of any text.
  @discardableResult
  func api(_ method: String, _ path: String, text: String?, type: String) async throws -> JSONValue {
    let answer = try await request(
      method, "/api/v1\(path)", host: "127.0.0.1", token: token, body: text, type: type)
    guard let end = answer.range(of: "\r\n\r\n"), answer.hasPrefix("HTTP/1.1 2") else {
      throw Unexpected("\(method) \(path): \(answer)")
    }
    return try JSONValue.parse(String(answer[end.upperBound...]))
  }

  /// A run from outside.
  func makeRun(_ name: String, project: String = "p", config: JSONValue = [:]) async throws -> String {
    let run = try await api(
      "POST", "/runs", ["project": .string(project), "name": .string(name), "config": config])
    return run["id"]?.string ?? ""
  }

  /// Logs rows, each the JSON of its values; steps and times count from `first`.
  func log(_ rows: [String], to run: String, from first: Int = 0, client: String = "test-client") async throws
  {
    for start in stride(from: 0, to: rows.count, by: 500) {
      let lines = rows[start..<min(rows.count, start + 500)].enumerated().map { index, values in
        let number = first + start + index
        return
          "{\"seq\":\(number),\"step\":\(number),\"time\":\(1_790_000_000_000_000 + number),\"values\":\(values)}\n"
      }
      try await api(
        "POST", "/runs/\(run)/log?client=\(client)", text: lines.joined(), type: "application/x-ndjson")
    }
  }

  /// A run's rows, as the API has them.
  func history(_ run: String) async throws -> [JSONValue] {
    let outcome = try await martlet("run", "history", run, "--format", "jsonl")
    guard outcome.status == 0 else { throw Unexpected("history of \(run): \(outcome)") }
    return try outcome.lines.map { try JSONValue.parse($0) }
  }

  /// Runs a Python program to its end, with our client on its path.
  func python(_ program: String, environment: [String: String] = [:]) async throws -> Outcome {
    try await startPython(program, environment: environment).outcome()
  }

  func startPython(_ program: String, environment: [String: String] = [:]) throws -> Running {
    let variables = ["MARTLET_DATA": data, "HOME": root.path, "PYTHONPATH": Self.pythonClient]
    return try Running(
      ["python3", "-c", program], environment: variables.merging(environment) { $1 }, directory: root,
      program: "/usr/bin/env")
  }

  static let pythonClient = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    .appendingPathComponent("clients/python").path
}

/// A spool as a client writes it (docs/spool.md).
struct SpoolWriter {
  let directory: String
  let client: String
  private(set) var bytes: [UInt8] = []
  private var sequence: UInt64 = 0

  /// - Parameter first: members of the first record beside those every one has.
  init(in directory: String, client: String, first: JSONObject) {
    (self.directory, self.client) = (directory, client)
    let every: JSONObject = [
      "format": 1, "client": .string(client), "run": nil, "url": nil, "outside": true, "finish": true,
      "lock": true,
      "pid": 1,
    ]
    info(.object(every.merging(first) { $1 }))
  }

  var path: String { "\(directory)/\(client).spool" }
  func file(_ suffix: String) -> String { "\(directory)/\(client)\(suffix)" }

  mutating func info(_ content: JSONValue) { append(.info, step: 0, content.bytes()) }
  mutating func end(_ content: JSONValue) { append(.end, step: 0, content.bytes()) }
  /// A row of anything.
  mutating func row(_ values: JSONValue, step: Int64) { append(.row, step: step, values.bytes()) }

  /// A row of numbers under ids that an info record named.
  mutating func points(_ values: [(id: UInt32, value: Double)], step: Int64) {
    var payload: [UInt8] = []
    for (id, _) in values { withUnsafeBytes(of: id.littleEndian) { payload += $0 } }
    for (_, value) in values { withUnsafeBytes(of: value.bitPattern.littleEndian) { payload += $0 } }
    append(.points, step: step, payload)
  }

  private mutating func append(_ kind: LogRecord.Kind, step: Int64, _ payload: [UInt8]) {
    var body: [UInt8] = []
    withUnsafeBytes(of: sequence.littleEndian) { body += $0 }
    withUnsafeBytes(of: step.littleEndian) { body += $0 }
    withUnsafeBytes(of: Int64(1_790_000_000_000_000 + step).littleEndian) { body += $0 }
    body.append(kind.rawValue)
    body += payload
    withUnsafeBytes(of: UInt32(body.count).littleEndian) { bytes += $0 }
    withUnsafeBytes(of: body.withUnsafeBytes { CRC32.checksum($0) }.littleEndian) { bytes += $0 }
    bytes += body
    if kind == .points || kind == .row { sequence += 1 }
  }

  /// Writes the file as far as it has come.
  func save() throws {
    try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    try Data(bytes).write(to: URL(fileURLWithPath: path))
  }
}
