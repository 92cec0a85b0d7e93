// `martlet run -- CMD`, and what became of runs: list, show, logs, stop.

import Foundation
import MartletModel
import MartletTestSupport
import Testing

@Suite("run", .serialized)
struct RunTests {
  @Test("the command's output and exit status are martlet's own")
  func passesThrough() async throws {
    try await Workplace.withServer { place in
      let outcome = try await place.martlet("run", "--", "sh", "-c", "echo out; echo err >&2; exit 3")
      #expect(outcome.status == 3, "\(outcome)")
      #expect(outcome.output == "out\n")
      #expect(outcome.errors == "err\n")
      #expect(try await place.martlet("run", "--", "true").status == 0)
      #expect(try await place.martlet("run", "--", "sh", "-c", "kill -9 $$").status == 137)
    }
  }

  @Test("it starts a server when none is up, says so, and the server stays")
  func startsServer() async throws {
    try await Workplace.with { place in
      let outcome = try await place.martlet("run", "--", "echo", "hello")
      #expect(outcome.status == 0, "\(outcome)")
      #expect(outcome.output == "hello\n")
      #expect(outcome.errors.contains("started a server on \(place.data)"))
      let second = try await place.martlet("run", "--", "echo", "again")
      #expect(second.errors.isEmpty, "\(second)")
      #expect(try await place.json("run", "list").array?.count == 2)
    }
  }

  @Test("two that start at the same moment share one server")
  func startsOneServer() async throws {
    try await Workplace.with { place in
      async let first = place.martlet("run", "--", "true")
      async let second = place.martlet("run", "--", "true")
      for outcome in [try await first, try await second] { #expect(outcome.status == 0, "\(outcome)") }
      #expect(try await place.json("run", "list").array?.count == 2)
    }
  }

  @Test("it runs where and with what it was called, but without martlet's own variables of another run")
  func environment() async throws {
    try await Workplace.withServer { place in
      let script = "pwd; echo $COLOUR; echo $MARTLET_SWEEP_ID-$MARTLET_RUN_ID"
      let outcome = try await place.martlet(
        ["run", "--", "sh", "-c", script],
        environment: ["COLOUR": "grün", "MARTLET_SWEEP_ID": "outer", "MARTLET_RUN_ID": "outer"])
      #expect(outcome.status == 0, "\(outcome)")
      #expect(outcome.lines.prefix(2) == [place.root.path, "grün"])
      let run = try #require(try await place.json("run", "list").array?.first)
      #expect(outcome.lines.last == "-\(run["id"]?.string ?? "?")")
      #expect(run["created_by"]?.string?.isEmpty == false)
    }
  }

  @Test("a command that does not exist is status 127, and the run says why")
  func missingProgram() async throws {
    try await Workplace.withServer { place in
      let outcome = try await place.martlet("run", "--name", "gone", "--", "no-such-program")
      #expect(outcome.status == 127, "\(outcome)")
      #expect(outcome.errors.contains("no-such-program"))
      let run = try await place.json("run", "show", "gone")
      #expect(run["state"]?.string == "failed")
      #expect(run["exit"]?["reason"]?.string?.contains("No such file") == true)
    }
  }

  @Test("a time limit is status 124")
  func timeout() async throws {
    try await Workplace.withServer { place in
      let outcome = try await place.martlet("run", "--timeout", "0.3s", "--", "sleep", "60")
      #expect(outcome.status == 124, "\(outcome)")
      let run = try #require(try await place.json("run", "list").array?.first)
      #expect(run["state"]?.string == "timedOut")
    }
  }

  @Test("Ctrl-C stops the run, and is status 130", arguments: [SIGINT, SIGTERM])
  func interrupt(signal: Int32) async throws {
    try await Workplace.withServer { place in
      let following = try place.start(["run", "--name", "long", "--", "sh", "-c", "echo begun; sleep 120"])
      #expect(try await eventually { following.outputSoFar == "begun\n" })
      following.signal(signal)
      let outcome = try await following.outcome()
      #expect(outcome.status == 130, "\(outcome)")
      #expect(try await place.json("run", "show", "long")["state"]?.string == "stopped")
    }
  }

  @Test("who reads no more ends who writes, as in a shell")
  func brokenPipe() async throws {
    try await Workplace.withServer { place in
      let script =
        "'\(Binary.path)' run --name endless -- sh -c 'while sleep 0.05; do echo y; done' | head -n 1"
      let shell = try Running(
        ["-c", script], environment: ["MARTLET_DATA": place.data, "HOME": place.root.path],
        directory: place.root,
        program: "/bin/sh")
      let outcome = try await shell.outcome()
      #expect(outcome.output == "y\n")
      #expect(outcome.errors.isEmpty, "\(outcome)")
      #expect(
        try await eventually { try await place.json("run", "show", "endless")["state"]?.string == "stopped" })
    }
  }

  @Test("detached: the id alone on standard output; logs -f follows it to its end")
  func detached() async throws {
    try await Workplace.withServer { place in
      let script = "for i in 1 2 3; do echo line $i; sleep 0.1; done; echo oops >&2"
      let started = try await place.martlet("run", "--detach", "--project", "p", "--", "sh", "-c", script)
      #expect(started.status == 0, "\(started)")
      let id = started.output.trimmingCharacters(in: .newlines)
      #expect(PublicID(rawValue: id) != nil)
      let followed = try await place.martlet("run", "logs", "-f", id)
      #expect(followed.output == "line 1\nline 2\nline 3\n", "\(followed)")
      #expect(try await place.martlet("run", "logs", "--tail", "1", id).output == "line 3\n")
      #expect(try await place.martlet("run", "logs", "--stderr", id).output == "oops\n")
      #expect(try await place.json("run", "show", id)["project"]?.string == "p")
    }
  }

  @Test("long logs come whole, and --tail finds the last lines")
  func longLogs() async throws {
    try await Workplace.withServer { place in
      let program = "for i in range(100000): print('line', i)"
      let outcome = try await place.martlet("run", "--name", "long", "--", "python3", "-c", program)
      #expect(outcome.status == 0)
      #expect(outcome.lines.count == 100_000)
      #expect(outcome.lines.last == "line 99999")
      #expect(try await place.martlet("run", "logs", "long").output == outcome.output)
      let tail = try await place.martlet("run", "logs", "-n", "20000", "long")
      #expect(tail.lines.count == 20_000)
      #expect(tail.lines.first == "line 80000")
    }
  }

  @Test("stop ends a run; one that has ended is status 1")
  func stop() async throws {
    try await Workplace.withServer { place in
      let started = try await place.martlet("run", "--detach", "--name", "long", "--", "sleep", "120")
      #expect(started.status == 0, "\(started)")
      let stopped = try await place.martlet("run", "stop", "long", "--grace", "1")
      #expect(stopped.status == 0, "\(stopped)")
      #expect(
        try await eventually { try await place.json("run", "show", "long")["state"]?.string == "stopped" })
      let again = try await place.martlet("run", "stop", "long")
      #expect(again.status == 1, "\(again)")
    }
  }

  @Test("list narrows, sorts and limits, in three forms")
  func list() async throws {
    try await Workplace.withServer { place in
      for (name, command) in [("a", "true"), ("b", "false"), ("c", "true")] {
        _ = try await place.martlet("run", "--project", "p", "--name", name, "--", command)
      }
      func names(_ options: String...) async throws -> [String] {
        let outcome = try await place.martlet(["run", "list", "--format", "json"] + options)
        return try JSONValue.parse(outcome.output).array?.compactMap { $0["name"]?.string } ?? []
      }
      #expect(try await names() == ["c", "b", "a"])
      #expect(try await names("--sort", "name") == ["a", "b", "c"])
      #expect(try await names("--sort", "-name") == ["c", "b", "a"])
      #expect(try await names("--state", "failed,crashed") == ["b"])
      #expect(try await names("--search", "c") == ["c"])
      #expect(try await names("--project", "p", "--state", "running").isEmpty)
      #expect(try await place.martlet("run", "list", "--project", "q").status == 66)
      #expect(try await names("-n", "2") == ["c", "b"])

      let csv = try await place.martlet("run", "list", "--format", "csv")
      #expect(csv.lines.count == 4)
      #expect(csv.lines.first?.hasPrefix("id,name,project,state,") == true)
      let table = try await place.martlet("run", "list")
      #expect(table.lines.count == 4)
      #expect(!table.output.contains("\u{1B}"))
    }
  }

  @Test("a name that is unknown gets the nearest; one that is not unique gets the ids")
  func names() async throws {
    try await Workplace.withServer { place in
      _ = try await place.martlet("run", "--name", "baseline", "--", "true")
      let wrong = try await place.martlet("run", "show", "basline")
      #expect(wrong.status == 66, "\(wrong)")
      #expect(wrong.errors.contains("'baseline'"))
      let first = try await place.json("run", "show", "baseline")
      _ = try await place.martlet("run", "--name", "baseline", "--", "true")
      let twice = try await place.martlet("run", "show", "baseline")
      #expect(twice.status == 64, "\(twice)")
      let id = try #require(first["id"]?.string)
      #expect(twice.errors.contains(id))
      #expect(try await place.json("run", "show", id)["id"]?.string == id)
    }
  }

  @Test(
    "what is no command of martlet's is status 64 and says where a command goes",
    arguments: [["python", "train.py", "--lr", "1"], ["--project", "p", "true"], [], ["--"], ["lst"]])
  func usage(arguments: [String]) async throws {
    try await Workplace.with { place in
      let outcome = try await place.martlet(["run"] + arguments)
      #expect(outcome.status == 64, "\(outcome)")
      #expect(outcome.errors.hasPrefix("martlet: "))
      #expect(outcome.errors.contains("--"))
      #expect(!place.exists(place.data))
    }
  }

  @Test("a command may be called like a verb")
  func verbAsCommand() async throws {
    try await Workplace.withServer { place in
      try makeProgram(at: place.root.path + "/list", script: "#!/bin/sh\necho mine $1\n")
      let path = place.root.path + ":/usr/bin:/bin"
      let outcome = try await place.martlet(["run", "--", "list", "--help"], environment: ["PATH": path])
      #expect(outcome.output == "mine --help\n", "\(outcome)")
    }
  }
}
