// A directory of its own for a test: a data directory, maybe a server on it, sweep files and programs.

import Foundation
import MartletModel
import MartletTestSupport

/// A fresh directory; a server that is up on it at the end is stopped.
struct Workplace: Sendable {
  let root: URL

  var data: String { root.appendingPathComponent("data").path }

  /// Runs `body` in a fresh workplace.
  static func with(_ body: (Workplace) async throws -> Void) async throws {
    let name = "martlet-\(UUID().uuidString.prefix(8))"
    let root = FileManager.default.temporaryDirectory.appendingPathComponent(name)
    try FileManager.default.createDirectory(at: root, withIntermediateDirectories: true)
    let place = Workplace(root: root.resolvingSymlinksInPath())
    let result: Result<Void, any Error>
    do {
      result = .success(try await body(place))
    } catch {
      result = .failure(error)
    }
    try await place.cleanUp()
    try result.get()
  }

  /// The same, with a server that is up.
  static func withServer(_ options: [String] = [], _ body: (Workplace) async throws -> Void) async throws {
    try await with { place in
      let up = try await place.martlet(["up", "--detach", "--port", "0"] + options)
      guard up.status == 0 else { throw Unexpected("the server did not start: \(up)") }
      try await body(place)
    }
  }

  private func cleanUp() async throws {
    let pid = announcedPID
    if pid != nil { _ = try await martlet("down", "--timeout", "60") }
    if let pid, kill(pid, 0) == 0 { kill(pid, SIGKILL) }
    try removeScratch(root.path)
  }

  // MARK: - Running martlet

  /// Runs `martlet` to its end, with `MARTLET_DATA` naming this workplace's data directory.
  func martlet(_ arguments: String..., environment: [String: String] = [:]) async throws -> Outcome {
    try await martlet(arguments, environment: environment)
  }

  func martlet(_ arguments: [String], environment: [String: String] = [:]) async throws -> Outcome {
    try await start(arguments, environment: environment).outcome()
  }

  func start(_ arguments: [String], environment: [String: String] = [:]) throws -> Running {
    try Running(arguments, environment: self.environment(environment), directory: root)
  }

  /// Runs `martlet` on a terminal of its own (script(1)); what is written to `input` is typed.
  func startOnTerminal(
    _ arguments: [String], columns: Int = 100, rows: Int = 0, environment: [String: String] = [:],
    input: Pipe = Pipe()
  ) throws -> Running {
    let command = ([Binary.path] + arguments).map { "'\($0)'" }.joined(separator: " ")
    let terminal = ["TERM": "xterm", "SHELL": "/bin/sh"].merging(environment) { $1 }
    return try Running(
      ["-qefc", "stty cols \(columns) rows \(rows) -onlcr; exec \(command)", "/dev/null"],
      environment: self.environment(terminal), directory: root, program: "/usr/bin/script", input: input)
  }

  private func environment(_ variables: [String: String]) -> [String: String] {
    ["MARTLET_DATA": data, "HOME": root.path].merging(variables) { $1 }
  }

  /// Runs `martlet … --format json` and reads its answer.
  func json(_ arguments: String...) async throws -> JSONValue {
    let outcome = try await martlet(arguments + ["--format", "json"])
    guard outcome.status == 0 else { throw Unexpected("\(arguments): \(outcome)") }
    return try JSONValue.parse(outcome.output)
  }

  // MARK: - Files

  @discardableResult
  func write(_ name: String, _ text: String) throws -> String {
    let url = root.appendingPathComponent(name)
    try FileManager.default.createDirectory(
      at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data(text.utf8).write(to: url)
    return url.path
  }

  func exists(_ path: String) -> Bool { FileManager.default.fileExists(atPath: path) }

  func text(of path: String) throws -> String { try String(contentsOfFile: path, encoding: .utf8) }

  private var announcement: JSONValue? {
    guard let bytes = FileManager.default.contents(atPath: data + "/server.json") else { return nil }
    return try? JSONValue.parse(bytes)
  }

  /// The process that announced itself in the data directory.
  var announcedPID: Int32? { announcement?["pid"]?.int.flatMap { Int32(exactly: $0) } }
  var announcedURL: String { announcement?["url"]?.string ?? "" }

  // MARK: - Sweeps

  /// A program that logs `loss` through the API, as any client would, and a grid of four points over it; the best
  /// is x=1, y=0.25.
  ///
  /// - Parameter before: Python that each trial runs first; it has `x`, `y`, `os`, `sys` and `time`.
  @discardableResult
  func writeGrid(parallel: Int = 2, metric: String = "loss", before: String = "pass") throws -> String {
    try write("train.py", Self.program.replacing("BEFORE", with: before))
    return try write(
      "grid.yaml",
      """
      program: train.py
      name: grid
      project: digits
      method: grid
      metric: {name: \(metric), goal: minimize}
      max_parallel: \(parallel)
      parameters:
        x: {values: [2, 1]}
        y: {values: [0.5, 0.25]}

      """)
  }

  private static let program = """
    import json, os, sys, time, urllib.request
    args = dict(word.lstrip("-").split("=", 1) for word in sys.argv[1:])
    x, y = float(args["x"]), float(args["y"])
    BEFORE
    url = "%(MARTLET_URL)s/api/v1/runs/%(MARTLET_RUN_ID)s/log?client=test-client-" % os.environ + str(os.getpid())
    rows = [{"seq": i, "step": i, "time": int(time.time() * 1e6), "values": {"loss": x * x + y + 1 / (i + 1)}}
            for i in range(3)]
    body = "".join(json.dumps(row) + "\\n" for row in rows).encode()
    headers = {"Authorization": "Bearer " + os.environ["MARTLET_TOKEN"], "Content-Type": "application/x-ndjson"}
    urllib.request.urlopen(urllib.request.Request(url, body, headers)).read()
    print("trained", x, y)

    """
}
