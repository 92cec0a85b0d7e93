// `martlet sweep`: from a file to a ranked table, and what happens when the file is wrong.

import Foundation
import MartletModel
import MartletTestSupport
import Testing

@Suite("sweep", .serialized)
struct SweepTests {
  @Test("run follows a sweep to its ranked table, starting a server for it")
  func run() async throws {
    try await Workplace.with { place in
      try place.writeGrid()
      let outcome = try await place.martlet("sweep", "run", "grid.yaml", "--output", "results")
      #expect(outcome.status == 0, "\(outcome)")
      #expect(outcome.errors.contains("started a server"))
      for number in 1...4 { #expect(outcome.output.contains("[\(number)/4]")) }
      #expect(!outcome.output.contains("\u{1B}"))

      let sweep = try #require(try await place.json("sweep", "list").array?.first)
      #expect(sweep["state"]?.string == "finished")
      let folder = try #require(sweep["output_dir"]?.string)
      #expect(folder.hasPrefix(place.root.path + "/results/grid_"))
      #expect(outcome.output.contains(folder + "/sweep_summary.csv"))
      #expect(outcome.output.contains(place.announcedURL + "/p/digits/sweeps/"))

      // Best first: x=1, y=0.25 ends at 1 + 0.25 + 1/3.
      let heading = try #require(outcome.lines.firstIndex { $0.hasPrefix("#") })
      let best = outcome.lines[heading + 1].split(separator: " ")
      #expect(best.first == "1")
      #expect(best.contains("1.5833"))
      let summary = try place.text(of: folder + "/sweep_summary.csv").split(separator: "\n")
      #expect(summary.count == 5)
    }
  }

  @Test("show ranks the trials in three forms; the runs are listed under the sweep")
  func show() async throws {
    try await Workplace.withServer { place in
      try place.writeGrid()
      let outcome = try await place.martlet(
        "sweep", "run", "grid.yaml", "--name", "mine", "--project", "other")
      #expect(outcome.status == 0, "\(outcome)")
      let sweep = try await place.json("sweep", "show", "mine")
      #expect(sweep["project"]?.string == "other")
      #expect(sweep["trials"]?.array?.count == 4)
      #expect(sweep["trials"]?.array?.first?["params"]?["y"]?.double == 0.25)
      let csv = try await place.martlet("sweep", "show", "mine", "--format", "csv")
      #expect(csv.lines.count == 5, "\(csv)")
      #expect(csv.lines.first?.contains(",x,y,") == true)
      let table = try await place.martlet("sweep", "show", "mine")
      #expect(table.output.contains("minimize loss"))
      let runs = try await place.martlet("run", "list", "--sweep", "mine", "--format", "json")
      #expect(try JSONValue.parse(runs.output).array?.count == 4)
      #expect(try await place.martlet("sweep", "show", "mnie").errors.contains("'mine'"))
    }
  }

  @Test("show tells of the preparation, how many run at a time, and losses that look wrong")
  func surroundings() async throws {
    try await Workplace.withServer { place in
      let path = try place.writeGrid(before: "x = 4 * x")
      try place.write("grid.yaml", try place.text(of: path) + "prepare: [echo, all is there]\n")
      let outcome = try await place.martlet("sweep", "run", "grid.yaml")
      #expect(outcome.status == 0, "\(outcome)")
      let sweep = try await place.json("sweep", "show", "grid")
      #expect(sweep["preparation"]?["state"]?.string == "finished")
      let run = try #require(sweep["preparation"]?["run"]?.string)
      #expect(try await place.martlet("run", "logs", run).output.contains("all is there"))
      let table = try await place.martlet("sweep", "show", "grid")
      #expect(table.lines.contains { $0.hasPrefix("Preparation") && $0.contains("finished, run \(run)") })
      let csv = try await place.martlet("sweep", "show", "grid", "--format", "csv")
      #expect(csv.lines.first?.contains(",issues,") == true)
      #expect(csv.lines.filter { $0.contains("more than 10: it may have exploded.") }.count == 4, "\(csv)")
      let changed = try await place.martlet("sweep", "set", "grid", "--max-parallel", "some")
      #expect(changed.errors.contains("or auto, not 'some'"))
    }
  }

  @Test("a dry run says what a file would do; a trial is tried again where the sweep has ended")
  func planAndRepeat() async throws {
    try await Workplace.withServer { place in
      try place.writeGrid()
      let plan = try await place.martlet("sweep", "run", "grid.yaml", "--dry-run")
      #expect(plan.status == 0, "\(plan)")
      #expect(plan.lines.first == "Sweep 'grid'")
      #expect(plan.lines.contains("Trials      4 of 4 points"), "\(plan)")
      #expect(plan.lines.contains("     x=2 y=0.5"))
      #expect(plan.lines.last == "Nothing was started.")
      #expect(try await place.json("sweep", "list").array?.isEmpty == true)
      #expect(try await place.martlet("sweep", "run", "grid.yaml").status == 0)
      // The server knows how long trials of this sweep took, and what there is to learn from it.
      let grid = try place.text(of: try place.writeGrid())
      try place.write("more.yaml", grid.replacing("name: grid", with: "name: more") + "warm_start: grid\n")
      for (file, words) in [
        ("grid", "a trial as in sweep 'grid'"), ("more", "Learns from 4 trials of sweep 'grid'"),
      ] {
        let informed = try await place.martlet("sweep", "run", file + ".yaml", "--dry-run")
        #expect(informed.status == 0 && informed.output.contains(words), "\(informed)")
      }
      let alone = try await place.martlet(
        "sweep", "run", "more.yaml", "--dry-run", "--data", place.root.path + "/nothing-here")
      #expect(alone.output.contains("none is up"), "\(alone)")
      #expect(!place.exists(place.root.path + "/nothing-here"))
      let again = try await place.martlet("sweep", "add-point", "grid", "--trial", "3", "--times", "2")
      #expect(again.output.contains("the point of trial 3 is tried again"), "\(again)")
      try await eventually("all have ended") {
        try await place.json("sweep", "show", "grid")["state"]?.string == "finished"
      }
      let trials = try await place.json("sweep", "show", "grid")["trials"]?.array ?? []
      #expect(trials.count == 6)
      #expect(trials.count { $0["params"]?["x"]?.int == 1 && $0["params"]?["y"]?.double == 0.25 } == 3)
      for wrong in [["x=1", "--trial", "3"], ["x=1", "--times", "2"], [], ["--trial", "-1"]] {
        let refused = try await place.martlet(["sweep", "add-point", "grid"] + wrong)
        #expect(refused.status != 0, "\(wrong)")
      }
    }
  }

  @Test("a sweep none of whose trials succeeds is status 1, and says why each failed")
  func allFail() async throws {
    try await Workplace.withServer { place in
      try place.writeGrid(before: "sys.exit(7)")
      let outcome = try await place.martlet("sweep", "run", "grid.yaml")
      #expect(outcome.status == 1, "\(outcome)")
      #expect(outcome.output.contains("7"))
      #expect(try await place.json("sweep", "show", "grid")["state"]?.string == "failed")
    }
  }

  @Test("one failing trial does not fail the others")
  func oneFails() async throws {
    try await Workplace.withServer { place in
      try place.writeGrid(before: "x + y == 1.25 and os.kill(os.getpid(), 9)")
      let outcome = try await place.martlet("sweep", "run", "grid.yaml")
      #expect(outcome.status == 0, "\(outcome)")
      let counts = try await place.json("sweep", "show", "grid")["counts"]
      #expect(counts?["complete"]?.int == 3)
      #expect(counts?["failed"]?.int == 1)
    }
  }

  @Test("a metric that is never logged is status 1, and the message names it")
  func metricNeverLogged() async throws {
    try await Workplace.withServer { place in
      try place.writeGrid(metric: "val_loss")
      let outcome = try await place.martlet("sweep", "run", "grid.yaml")
      #expect(outcome.status == 1, "\(outcome)")
      #expect(outcome.output.contains("val_loss"))
    }
  }

  // MARK: - Leaving and stopping

  /// Trials that wait until the file `go` is there.
  private static let waiting = "while not os.path.exists('go'): time.sleep(0.02)"

  @Test("detached: the id alone on standard output; stop ends its trials too")
  func stop() async throws {
    try await Workplace.withServer { place in
      try place.writeGrid(before: Self.waiting)
      let started = try await place.martlet("sweep", "run", "grid.yaml", "--detach")
      #expect(started.status == 0, "\(started)")
      let id = started.output.trimmingCharacters(in: .newlines)
      #expect(PublicID(rawValue: id) != nil)
      #expect(
        try await eventually { try await place.json("sweep", "show", id)["counts"]?["running"]?.int == 2 })
      let stopped = try await place.martlet("sweep", "stop", "grid", "--grace", "1")
      #expect(stopped.status == 0, "\(stopped)")
      #expect(
        try await eventually { try await place.json("sweep", "show", id)["state"]?.string == "stopped" })
      let running = try await place.martlet(
        "run", "list", "--state", "running,starting,queued", "--format", "json")
      #expect(try JSONValue.parse(running.output).array?.isEmpty == true)
    }
  }

  @Test("stop --drain lets running trials end and starts no more")
  func drain() async throws {
    try await Workplace.withServer { place in
      try place.writeGrid(before: Self.waiting)
      let following = try place.start(["sweep", "run", "grid.yaml"])
      #expect(
        try await eventually {
          try await place.json("sweep", "list").array?.first?["counts"]?["running"]?.int == 2
        })
      let drained = try await place.martlet("sweep", "stop", "grid", "--drain")
      #expect(drained.status == 0, "\(drained)")
      try place.write("go", "")
      let outcome = try await following.outcome()
      #expect(outcome.status == 0, "\(outcome)")
      let sweep = try await place.json("sweep", "show", "grid")
      #expect(sweep["state"]?.string == "stopped")
      #expect(sweep["counts"]?["complete"]?.int == 2)
    }
  }

  @Test("Ctrl-C without a terminal leaves the sweep running and says how to stop it")
  func interruptWithoutTerminal() async throws {
    try await Workplace.withServer { place in
      try place.writeGrid(before: Self.waiting)
      let following = try place.start(["sweep", "run", "grid.yaml"])
      #expect(try await eventually { following.outputSoFar.contains("Dashboard") })
      following.signal(SIGINT)
      let outcome = try await following.outcome()
      #expect(outcome.status == 130, "\(outcome)")
      #expect(outcome.errors.contains("martlet sweep stop"))
      #expect(try await place.json("sweep", "show", "grid")["state"]?.string == "running")
      try place.write("go", "")
      #expect(
        try await eventually { try await place.json("sweep", "show", "grid")["state"]?.string == "finished" })
    }
  }

  @Test("Ctrl-C on a terminal asks: d detaches, s stops", arguments: ["d", "s"])
  func interruptOnTerminal(answer: String) async throws {
    try await Workplace.withServer { place in
      try place.writeGrid(before: Self.waiting)
      let input = Pipe()
      let following = try place.startOnTerminal(["sweep", "run", "grid.yaml"], input: input)
      #expect(try await eventually { following.outputSoFar.contains("running") })
      try input.fileHandleForWriting.write(contentsOf: Data([3]))
      #expect(try await eventually { following.outputSoFar.contains("[d]etach or [s]top?") })
      try input.fileHandleForWriting.write(contentsOf: Data("\(answer)\n".utf8))
      let outcome = try await following.outcome()
      let state = try await place.json("sweep", "show", "grid")["state"]?.string
      #expect(outcome.status == (answer == "d" ? 0 : 130), "\(outcome)")
      #expect(state == (answer == "d" ? "running" : "stopped"))
      if answer == "d" {
        try place.write("go", "")
        #expect(
          try await eventually {
            try await place.json("sweep", "show", "grid")["state"]?.string == "finished"
          })
      }
    }
  }

  @Test("s comes after the sweep has ended by itself: its table and its own status")
  func stopComesTooLate() async throws {
    try await Workplace.withServer { place in
      try place.writeGrid(before: Self.waiting)
      let input = Pipe()
      let following = try place.startOnTerminal(["sweep", "run", "grid.yaml"], input: input)
      #expect(try await eventually { following.outputSoFar.contains("running") })
      try input.fileHandleForWriting.write(contentsOf: Data([3]))
      #expect(try await eventually { following.outputSoFar.contains("[d]etach or [s]top?") })
      try place.write("go", "")
      #expect(
        try await eventually { try await place.json("sweep", "show", "grid")["state"]?.string == "finished" })
      try input.fileHandleForWriting.write(contentsOf: Data("s\n".utf8))
      let outcome = try await following.outcome()
      #expect(outcome.status == 0, "\(outcome)")
      #expect(outcome.output.contains("1.5833"), "\(outcome)")
      #expect(outcome.output.contains("Sweep"))
      #expect(outcome.output.contains("sweep_summary.csv"))
      #expect(!outcome.output.contains("has ended already"), "\(outcome)")
    }
  }

  @Test("the follower survives a server that is killed and started again")
  func serverComesBack() async throws {
    try await Workplace.withServer { place in
      try place.writeGrid(before: Self.waiting)
      let following = try place.start(["sweep", "run", "grid.yaml"])
      #expect(try await eventually { following.outputSoFar.contains("Dashboard") })
      kill(try #require(place.announcedPID), SIGKILL)
      #expect(try await eventually { following.errorsSoFar.contains("does not answer") })
      let up = try await place.martlet("up", "--detach", "--port", "0")
      #expect(up.status == 0, "\(up)")
      try place.write("go", "")
      let outcome = try await following.outcome()
      #expect(outcome.status == 0, "\(outcome)")
      #expect(outcome.errors.contains("answers again"))
      #expect(outcome.output.contains("[4/4]"))
    }
  }

  // MARK: - Wrong files

  private static let good = "program: train.py\nmethod: grid\nmetric: {name: loss}\n"

  @Test(
    "a wrong file is status 65, says where, and nothing starts",
    arguments: [
      (good + "metod: grid\nparameters: {x: {values: [1]}}\n", [":4:1:", "'metod'", "'method'"]),
      (good + "parameters: {x: {values: []}}\n", ["wrong.yaml:4", "x"]),
      (good + "parameters: {}\n", ["wrong.yaml:4", "parameter"]),
      (good + "parameters: {x: {values: [1]\n", ["wrong.yaml:"]),
      (good + "parameters: {x: {values: [1]}, x: {values: [2]}}\n", ["wrong.yaml:4", "x"]),
      ("program: trian.py\nmethod: grid\nparameters: {x: {values: [1]}}\n", ["trian.py", "train.py"]),
    ])
  func wrongFile(text: String, said: [String]) async throws {
    try await Workplace.with { place in
      try place.writeGrid()
      try place.write("wrong.yaml", text)
      let outcome = try await place.martlet("sweep", "run", "wrong.yaml")
      #expect(outcome.status == 65, "\(outcome)")
      for word in said { #expect(outcome.errors.contains(word), "\(outcome)") }
      #expect(!place.exists(place.data))
    }
  }

  @Test("a file that is not there is status 66 and gets the nearest name")
  func missingFile() async throws {
    try await Workplace.with { place in
      try place.writeGrid()
      let outcome = try await place.martlet("sweep", "run", "gird.yaml")
      #expect(outcome.status == 66, "\(outcome)")
      #expect(outcome.errors.contains("'grid.yaml'"))
      #expect(try await place.martlet("sweep", "run", ".").status == 66)
    }
  }

  @Test("bytes that are no text are status 65")
  func binaryFile() async throws {
    try await Workplace.with { place in
      try Data([0xFF, 0xFE, 0x00, 0xC0]).write(to: place.root.appendingPathComponent("x.yaml"))
      let outcome = try await place.martlet("sweep", "run", "x.yaml")
      #expect(outcome.status == 65, "\(outcome)")
    }
  }

  @Test("the program may be named on the command line")
  func commandLine() async throws {
    try await Workplace.withServer { place in
      try place.writeGrid()
      try place.write(
        "no-program.yaml", "method: grid\nmetric: {name: loss}\nparameters: {x: {values: [1]}}\n")
      let command = ["--", "sh", "-c", "python3 train.py --y=0 \"$0\""]
      let outcome = try await place.martlet(["sweep", "run", "no-program.yaml"] + command)
      #expect(outcome.status == 0, "\(outcome)")
    }
  }

  @Test("unknown sweeps are status 66")
  func unknown() async throws {
    try await Workplace.withServer { place in
      for verb in ["show", "stop"] {
        let outcome = try await place.martlet("sweep", verb, "nothing")
        #expect(outcome.status == 66, "\(outcome)")
      }
    }
  }
}
