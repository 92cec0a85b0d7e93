// Starts `martlet up` as a process of its own session that outlives this one, and waits until it answers.

import Foundation
import MartletExecution
import MartletModel

struct DetachedServer {
  var data: DataDirectory
  /// The options of `up`, without `--data`.
  var options: [String]

  /// Starts a server on the data directory with the default port, or any free one when that is taken.
  static func startPlain(on data: DataDirectory) async throws {
    if isFree(port: ServerPlace.defaultPort) {
      do {
        return try await DetachedServer(data: data, options: ["--port", String(ServerPlace.defaultPort)])
          .start()
      } catch let failure as Failure where failure.status == .inUse {
        // Taken since: any other will do.
      }
    }
    try await DetachedServer(data: data, options: ["--port", "0"]).start()
  }

  private static let patience: Duration = .seconds(30)

  /// Starts it; returns once it has announced itself and answers.
  ///
  /// When someone else starts one on the same directory at the same moment, theirs is as good.
  func start() async throws {
    let log = try openLog()
    let logStart = lseek(log, 0, SEEK_END)
    let pid = try spawn(log: log)
    close(log)
    let deadline = ContinuousClock.now + Self.patience
    var ended: Int32?
    while ContinuousClock.now < deadline {
      if let announced = try data.announcement(), ended != nil || announced.pid == pid,
        try await answers(announced)
      {
        return
      }
      var status: Int32 = 0
      if ended == nil, waitpid(pid, &status, WNOHANG) == pid {
        ended = (status & 0x7F) == 0 ? (status >> 8) & 0xFF : 128 + (status & 0x7F)
      }
      // Only another server that is coming up on the directory is worth waiting for.
      if ended != nil, ProcessTable.lockHolder(of: data.lockFile) == nil { break }
      try await Task.sleep(for: .milliseconds(20))
    }
    throw failure(ended: ended, logStart: logStart)
  }

  private func answers(_ announced: DataDirectory.Announcement) async throws -> Bool {
    let place = try ServerPlace(url: announced.url, token: "", data: data.path, environment: [:])
    let client = Client(base: try ServerPlace.parse(announced.url), token: nil, place: place, timeout: 5)
    do {
      return try await client.send(.get, "/version")["name"]?.string == "martlet"
    } catch let failure as Failure where failure.status == .unavailable {
      return false
    }
  }

  private func failure(ended: Int32?, logStart: off_t) -> Failure {
    // What the server said before it ended is the reason; it wrote `martlet: message` as any command does.
    let said = lastWords(from: logStart)
    guard let ended else {
      return Failure(
        .unavailable, "The server on \(data.path) did not answer within \(Self.patience).",
        hint: "Its log is \(data.logFile).")
    }
    return Failure(
      ExitStatus(rawValue: ended) ?? .unavailable,
      said.first.map { "The server could not start: \($0)" }
        ?? "The server ended at once with status \(ended).",
      hint: said.dropFirst().first ?? "Its log is \(data.logFile).")
  }

  private func lastWords(from offset: off_t) -> [String] {
    guard let text = try? Data(contentsOf: URL(fileURLWithPath: data.logFile)).dropFirst(Int(max(0, offset)))
    else {
      return []
    }
    let lines = String(decoding: text, as: UTF8.self).split(separator: "\n").map(String.init)
    guard let start = lines.lastIndex(where: { $0.hasPrefix("martlet: ") }) else { return [] }
    let words = lines[start...].map { $0.trimmingCharacters(in: .whitespaces) }
    return [String(words[0].dropFirst("martlet: ".count))] + words.dropFirst()
  }

  private func openLog() throws -> Int32 {
    let hint = "Name a directory that you may write with --data or MARTLET_DATA."
    do {
      try FileManager.default.createDirectory(
        atPath: data.path, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    } catch {
      throw Failure(
        .cannotCreate, "\(data.path) cannot be created: \(error.localizedDescription)", hint: hint)
    }
    let log = open(data.logFile, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
    guard log >= 0 else {
      throw Failure(
        .cannotCreate, "\(data.logFile) cannot be created: \(String(cString: strerror(errno))).", hint: hint)
    }
    return log
  }

  private func spawn(log: Int32) throws -> pid_t {
    let process = ChildProcess(
      try Self.executable(), ["up", "--data", data.path] + options, environment: CallerEnvironment.current)
    do {
      // This process ignores SIGPIPE; that is not inherited.
      return try process.start(output: log, errors: log, standing: .session)
    } catch {
      throw Failure(error, status: .internalError)
    }
  }

  /// The file that this process was started from.
  static func executable() throws -> String {
    guard let path = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe"),
      access(path, X_OK) == 0
    else {
      throw Failure(
        .internalError, "The file of the running martlet is not there any more.",
        hint: "It was replaced while it ran: call it again.")
    }
    return path
  }

  /// Whether a server could listen on `port` of the loopback address now.
  static func isFree(port: Int) -> Bool {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    guard descriptor >= 0 else { return false }
    defer { close(descriptor) }
    // As servers do: a port whose last connections are still winding down counts as free.
    var yes: Int32 = 1
    setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<Int32>.size))
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = in_port_t(port).bigEndian
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    return withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
      }
    }
  }
}

extension ConnectionOptions {
  /// A client of the server that is up; one is started on the data directory when none is and none was named.
  func clientStartingServer() async throws -> Client {
    let place = try place()
    if let client = try place.client() {
      do {
        _ = try await client.send(.get, "/version")
        return client
      } catch let failure as Failure where failure.status == .unavailable && place.isLocal {
        // An announcement without a server that answers: the process id is someone else's by now.
      }
    }
    guard place.isLocal else { throw place.nothingUp }
    try await DetachedServer.startPlain(on: place.data)
    guard let client = try place.client() else { throw place.nothingUp }
    Terminal.complain(
      """
      martlet: started a server on \(place.data.path) at \(client.base.absoluteString)
        martlet down\(place.suffix) stops it.
      """)
    return client
  }
}
