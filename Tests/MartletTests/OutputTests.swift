// Tables that fit, colours only where they are wanted, readers that go away.

import Foundation
import MartletModel
import Testing

@Suite("output", .serialized)
struct OutputTests {
  @Test("on a terminal tables fit its width and are coloured, unless NO_COLOR says otherwise")
  func terminal() async throws {
    try await Workplace.withServer { place in
      let long = String(repeating: "long-name-", count: 12)
      _ = try await place.martlet("run", "--name", long, "--", "true")
      for columns in [60, 100] {
        let outcome = try await place.startOnTerminal(["run", "list"], columns: columns).outcome()
        #expect(outcome.status == 0, "\(outcome)")
        #expect(outcome.output.contains("\u{1B}[32m"))
        for line in outcome.lines {
          let plain = line.replacing(/\u{1B}\[[0-9;]*m/, with: "").trimmingCharacters(in: .newlines)
          #expect(plain.count <= columns, "\(plain)")
        }
      }
      let plain = try await place.startOnTerminal(["run", "list"], environment: ["NO_COLOR": "1"]).outcome()
      #expect(!plain.output.contains("\u{1B}"))
      #expect(try await place.martlet("run", "list").output.contains(long))
    }
  }

  @Test("what a program wrote cannot drive the terminal from within a message or a table")
  func escapes() async throws {
    try await Workplace.withServer { place in
      // The last line of a failing run stands in its reason.
      _ = try await place.martlet(
        "run", "--name", "bad", "--", "sh", "-c", "printf '\\033[2Jlast' >&2; exit 1")
      let outcome = try await place.martlet("run", "show", "bad")
      #expect(outcome.output.contains("last"), "\(outcome)")
      #expect(!outcome.output.contains("\u{1B}"))
      let named = try await place.martlet("run", "--name", "bad\u{1B}[2J", "--", "true")
      #expect(named.status == 65)
      #expect(!named.errors.contains("\u{1B}"))
    }
  }

  @Test("a reader that goes away ends a listing quietly")
  func head() async throws {
    try await Workplace.withServer { place in
      let script = "'\(Binary.path)' run list --format json | true; '\(Binary.path)' --help | head -n 1"
      let shell = try Running(
        ["-c", script], environment: ["MARTLET_DATA": place.data, "HOME": place.root.path],
        directory: place.root,
        program: "/bin/sh")
      let outcome = try await shell.outcome()
      #expect(outcome.status == 0)
      #expect(outcome.errors.isEmpty, "\(outcome)")
      #expect(outcome.lines.count == 1)
    }
  }

  @Test(
    "every command has help with an example",
    arguments: [
      "", "up", "down", "status", "doctor", "version", "token new", "token list", "token revoke",
      "project list",
      "run", "run start", "run list", "run show", "run logs", "run stop", "sweep run", "sweep list",
      "sweep show",
      "sweep stop",
    ])
  func help(command: String) async throws {
    try await Workplace.with { place in
      let outcome = try await place.martlet(command.split(separator: " ").map(String.init) + ["--help"])
      #expect(outcome.status == 0, "\(outcome)")
      #expect(outcome.output.contains("Example"))
      #expect(outcome.output.contains("martlet \(command)".trimmingCharacters(in: .whitespaces)))
    }
  }

  @Test("an unknown command is status 64")
  func unknown() async throws {
    try await Workplace.with { place in
      let outcome = try await place.martlet("swep", "list")
      #expect(outcome.status == 64, "\(outcome)")
      #expect(outcome.errors.hasPrefix("martlet: "))
    }
  }
}
