// `martlet pool`, and what is changed of runs and sweeps while they run or wait.

import Foundation
import MartletModel
import MartletTestSupport
import Testing

@Suite("pool", .serialized)
struct PoolTests {
  /// A command that runs until the place's file `open` is there.
  private static let gate = "until [ -e open ]; do sleep 0.05; done"

  /// Begins a run that is left alone.
  private func begin(_ place: Workplace, _ name: String, _ options: [String], _ script: String) async throws {
    let outcome = try await place.martlet(
      ["run", "--detach", "--name", name] + options + ["--", "sh", "-c", script])
    #expect(outcome.status == 0, "\(outcome)")
  }

  private func state(_ place: Workplace, _ run: String) async throws -> String? {
    try await place.json("run", "show", run)["state"]?.string
  }

  @Test("devices, who has them, who waits and why, as a table, JSON and CSV; moved and preempted")
  func lists() async throws {
    try await Workplace.withServer(["--devices", "2"]) { place in
      try await begin(
        place, "holder", ["--gpus", "2", "--timeout", "1h", "--memory", "2GB"], Self.gate)
      try await eventually("it runs") { try await state(place, "holder") == "running" }
      try await begin(place, "first", ["--gpus", "1", "--retries", "infra=3,failure=1"], "true")
      try await begin(place, "second", ["--gpus", "1", "--priority", "-1"], Self.gate)
      let table = try await place.martlet("pool")
      #expect(table.status == 0, "\(table)")
      #expect(table.lines.first?.hasSuffix("0 of 2 devices free, 1 running, 2 waiting") == true, "\(table)")
      #expect(table.output.contains("holder ("))
      #expect(table.output.contains("It needs 1 device: 0 are free and 2 are held."))
      let pool = try await place.json("pool")
      #expect(pool["running"]?.array?.first?["needs"]?["memory"] == 2_000_000_000)
      #expect(pool["queue"]?.array?.map { $0["run_name"] } == ["first", "second"])
      let csv = try await place.martlet("pool", "list", "--queue", "--format", "csv")
      #expect(csv.lines.first?.hasPrefix("position,run,run_name,project,") == true, "\(csv)")
      #expect(csv.lines.count == 3)
      let devices = try await place.martlet("pool", "list", "--format", "csv")
      #expect(devices.lines.count == 3 && devices.lines[0].hasPrefix("index,kind,name,"), "\(devices)")
      let shown = try await place.martlet("run", "show", "second")
      #expect(shown.output.contains("Another is before it in the line."), "\(shown)")
      #expect(shown.output.contains("Starts"))
      let moved = try await place.martlet("run", "move", "second", "--priority", "5")
      #expect(moved.output.contains("is number 1 of those who wait"), "\(moved)")
      #expect(try await place.martlet("run", "move", "second", "--back").status == 0)
      #expect(try await place.martlet("run", "move", "holder", "--front").status == 1)
      #expect(try await place.martlet("run", "move", "second", "--front", "--back").status == 64)
      #expect(try await place.martlet("run", "move", "second").status == 64)
      let preempted = try await place.martlet("run", "preempt", "holder", "--to-back")
      #expect(preempted.output.contains("is asked to make room; another attempt follows."), "\(preempted)")
      try await eventually("it waits") { try await state(place, "holder") == "queued" }
      try place.write("open", "")
      for run in ["holder", "first", "second"] {
        try await eventually("\(run) ended") { try await state(place, run) == "finished" }
      }
      #expect(try await place.martlet("pool", "list", "--queue").errors.contains("Nobody waits."))
    }
  }

  @Test("options of a command that make no sense are refused with what they should be")
  func refusals() async throws {
    try await Workplace.with { place in
      for (options, words) in [
        (["--gpus", "1", "--gpu-memory", "20"], ""), (["--gpu-memory", "20GB"], "say how many with --gpus"),
        (["--memory", "much"], "is no size; write 20GB"), (["--retries", "infa=3"], "Did you mean 'infra'?"),
        (["--retries", "x"], "write 2, or infra=3,failure=1"), (["--gpus", "-1"], ""),
        (["--retry-pause", "soon"], "is no time span"),
      ] where !words.isEmpty {
        let outcome = try await place.martlet(["run"] + options + ["--", "true"])
        #expect(outcome.status == 64, "\(options): \(outcome)")
        #expect(outcome.errors.contains(words), "\(outcome)")
      }
    }
  }

  @Test(
    "watch writes a line for each change where there is no terminal, and draws over itself where there is")
  func watches() async throws {
    try await Workplace.withServer(["--devices", "1"]) { place in
      let lines = try place.start(["pool", "watch"])
      try await eventually("the first line") { lines.outputSoFar.contains("1 of 1 device free") }
      let keys = Pipe()
      let drawn = try place.startOnTerminal(["pool", "watch"], rows: 30, input: keys)
      try await begin(place, "holder", ["--gpus", "1"], Self.gate)
      try await begin(place, "waiter", ["--gpus", "1"], "true")
      try await eventually("the changes") {
        lines.outputSoFar.contains("runs     holder (") && lines.outputSoFar.contains("waits    waiter (")
      }
      try await eventually("it is drawn anew") {
        drawn.outputSoFar.contains("\u{1B}[J") && drawn.outputSoFar.contains("holder (")
      }
      try place.write("open", "")
      try await eventually("they left") { lines.outputSoFar.contains("left     holder (") }
      lines.signal(SIGINT)
      #expect(try await lines.outcome().status == 130)
      // Ctrl-C, typed.
      try keys.fileHandleForWriting.write(contentsOf: Data([3]))
      #expect(try await drawn.outcome().status == 130)
    }
  }

  @Test("a sweep is paused, resumed and changed, and one of its trials stopped")
  func sweeps() async throws {
    try await Workplace.withServer { place in
      try place.write(
        "grid.yaml",
        """
        name: grid
        method: grid
        parameters: {x: {values: [1, 2, 3]}}
        command: [/bin/sh, -c, "\(Self.gate)"]
        max_parallel: 1
        """)
      let follower = try place.start(["sweep", "run", "grid.yaml"])
      try await eventually("one runs") {
        try await place.martlet("sweep", "show", "grid").output.contains("1 running")
      }
      let paused = try await place.martlet("sweep", "pause", "grid")
      #expect(paused.output.contains("is paused; 1 trial that it has made goes on."), "\(paused)")
      let again = try await place.martlet("sweep", "pause", "grid")
      #expect(again.status == 1 && again.errors.contains("is paused already."), "\(again)")
      let changed = try await place.martlet(
        "sweep", "set", "grid", "--max-parallel", "2", "--priority", "-3", "--timeout", "2h")
      #expect(
        changed.output.contains("2 trials at a time, priority -3, 2 h 0 min for each attempt."), "\(changed)")
      #expect(try await place.martlet("sweep", "set", "grid").status == 64)
      #expect(try await place.martlet("sweep", "set", "grid", "--max-parallel", "many").status == 64)
      let automatic = try await place.martlet("sweep", "set", "grid", "--max-parallel", "auto")
      #expect(automatic.output.contains("as there is room for (2 trials now)"), "\(automatic)")
      #expect(try await place.martlet("sweep", "set", "grid", "--max-parallel", "2").status == 0)
      let stopped = try await place.martlet("sweep", "stop", "grid", "--trial", "0")
      #expect(stopped.output.contains("is being stopped; its sweep goes on."), "\(stopped)")
      #expect(try await place.martlet("sweep", "stop", "grid", "--trial", "0", "--drain").status == 64)
      #expect(try await place.martlet("sweep", "resume", "grid").output.contains("goes on."))
      try await eventually("two run") {
        try await place.martlet("sweep", "show", "grid").output.contains("1 of 3 ended, 2 running")
      }
      try place.write("open", "")
      let outcome = try await follower.outcome()
      #expect(outcome.status == 0, "\(outcome)")
    }
  }
}
