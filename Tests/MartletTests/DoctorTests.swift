// `martlet doctor`: what it looks at, and when it fails.

import Foundation
import MartletModel
import Testing

@Suite("doctor", .serialized)
struct DoctorTests {
  private func statuses(_ place: Workplace) async throws -> [String: String] {
    let outcome = try await place.martlet("doctor", "--format", "json")
    let checks = try JSONValue.parse(outcome.output).array ?? []
    return Dictionary(
      checks.map { ($0["name"]?.string ?? "", $0["status"]?.string ?? "") }, uniquingKeysWith: { $1 })
  }

  @Test("with a server that is up all is well, and the server's own checks stand beside")
  func healthy() async throws {
    try await Workplace.withServer { place in
      let checks = try await statuses(place)
      for name in ["data directory", "permissions", "lock", "write-ahead log", "server", "synchronous"] {
        #expect(checks[name] == "ok", "\(name): \(checks)")
      }
      for name in ["disk", "file system", "devices", "python", "supervisor"] { #expect(checks[name] != nil) }
      let pid = try #require(place.announcedPID)
      let table = try await place.martlet("doctor")
      #expect(table.status == 0, "\(table)")
      #expect(table.output.contains("process \(pid)"))
    }
  }

  @Test("without a server it checks what it can")
  func noServer() async throws {
    try await Workplace.with { place in
      let checks = try await statuses(place)
      #expect(checks["server"] == "ok")
      #expect(checks["data directory"] == "ok")
    }
  }

  @Test("a data directory that others may read is a warning, one that cannot be is an error and status 1")
  func faults() async throws {
    try await Workplace.with { place in
      try FileManager.default.createDirectory(atPath: place.data, withIntermediateDirectories: true)
      #expect(chmod(place.data, 0o755) == 0)
      #expect(try await statuses(place)["permissions"] == "warning")

      let file = try place.write("file", "")
      let outcome = try await place.martlet("doctor", environment: ["MARTLET_DATA": file])
      #expect(outcome.status == 1, "\(outcome)")
      #expect(outcome.output.contains("no directory"))
    }
  }

  @Test("the database is looked at beside its server; --deep needs the directory")
  func store() async throws {
    try await Workplace.withServer { place in
      let run = try await place.makeRun("one")
      try await place.log((0..<300).map { #"{"loss": \#($0)}"# }, to: run)
      for options in [[], ["--deep"]] {
        let outcome = try await place.martlet(["doctor", "--format", "json"] + options)
        #expect(outcome.status == 0, "\(outcome)")
        let checks = try JSONValue.parse(outcome.output).array ?? []
        func message(_ name: String) -> String {
          checks.first { $0["name"]?.string == name }?["message"]?.string ?? ""
        }
        #expect(message("database").hasPrefix("1 run, 300 points: whole"))
        #expect(message("unsealed rows").contains("300 rows"))
        #expect(message("free pages").contains("%"))
        #expect(message("blobs").hasPrefix("0 files"))
      }
      let remote = try await place.martlet("doctor", "--deep", "--url", place.announcedURL)
      #expect(remote.status == 64, "\(remote)")
    }
  }
}
