// Where an agent's trials run on this machine.

import Foundation
import Glibc
import MartletExecution
import MartletModel
import MartletOrchestration

struct AgentPlace: Sendable {
  let host: String
  /// Where commands start.
  let workdir: String
  /// Where runs have their folders, as it was named.
  private let output: String?
  /// For records and logs on their way to the server.
  let scratch: String
  /// The server's data directory, where it is this machine's.
  let data: String?
  let supervision: Supervision
  let confinement: Confinement
  let environment: [String: String]

  /// - Throws: `Failure`.
  init(workdir: String?, output: String?, client: Client) throws {
    func path(_ name: String) -> String { URL(fileURLWithPath: name).standardizedFileURL.path }
    self.workdir = path(workdir ?? ".")
    guard SpoolPlace.isDirectory(self.workdir) else {
      throw Failure(.notFound, "There is no directory '\(Terminal.plain(self.workdir))'.")
    }
    self.output = output.map(path)
    host = HostName.current
    data = client.place.isLocal ? client.place.data.path : nil
    environment = CallerEnvironment.forRuns
    do {
      supervision = try Supervision.beside(
        executable: "/proc/self/exe", environment: CallerEnvironment.current)
    } catch {
      throw Failure(error, status: .cannotCreate)
    }
    var template = Array("\(FileManager.default.temporaryDirectory.path)/martlet-agent-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else {
      throw Failure(
        .cannotCreate, "No directory for records can be made: \(String(cString: strerror(errno))).",
        hint: "Name a place for temporary files with TMPDIR.")
    }
    scratch = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
    confinement = Confinement(owner: scratch)
  }

  /// Takes away what lies there for nobody any more.
  func remove() {
    // What is left when the server could not be told lies in it.
    rmdir(scratch)
  }

  /// The folder of a sweep's runs here, and whether it is the server's own.
  ///
  /// - Parameter results: its path on the server's machine, which holds the second when the sweep began: who finds it under
  ///   the same path sees the same folder.
  func results(_ results: String) -> (path: String, isShared: Bool) {
    let name = URL(fileURLWithPath: results).lastPathComponent
    if let output { return ("\(output)/\(name)", false) }
    return access(results, W_OK) == 0 ? (results, true) : ("\(workdir)/\(name)", false)
  }
}

enum HostName {
  /// This machine's, as the kernel has it: no name service is asked.
  static var current: String {
    var name = [CChar](repeating: 0, count: 256)
    guard gethostname(&name, name.count - 1) == 0 else { return "localhost" }
    return String(decoding: name.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
  }
}
