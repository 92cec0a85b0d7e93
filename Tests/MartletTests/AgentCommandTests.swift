// `martlet agent`: real agents that run trials of a sweep in the server's place.

import Foundation
import MartletModel
import MartletTestSupport
import OrderedCollections
import Testing

@Suite("agent", .serialized)
struct AgentCommandTests {
  /// Notes each start of a trial, with where and as what it runs, and waits for a file of the trial's number.
  private static let noting = """
    open("starts", "a").write(" ".join([os.environ["MARTLET_TRIAL_ID"], os.environ["MARTLET_ATTEMPT"],
            os.environ.get("CUDA_VISIBLE_DEVICES", "-"), os.getcwd(), str(os.getpid())]) + "\\n")
    while os.path.exists("hold") and not os.path.exists("go" + os.environ["MARTLET_TRIAL_ID"]): time.sleep(0.02)
    """

  private func starts(_ place: Workplace) -> [[String]] {
    ((try? place.text(of: place.root.path + "/starts")) ?? "").split(separator: "\n")
      .map { $0.split(separator: " ").map(String.init) }
  }

  /// A sweep of agents alone, begun; its id.
  private func begin(_ place: Workplace, holding: Bool = false) async throws -> String {
    try place.writeGrid(parallel: 0, before: Self.noting)
    if holding { try place.write("hold", "") }
    let outcome = try await place.martlet("sweep", "run", "grid.yaml", "--detach")
    guard outcome.status == 0 else { throw Unexpected("\(outcome)") }
    return outcome.output.trimmingCharacters(in: .newlines)
  }

  private func trials(_ place: Workplace, _ sweep: String) async throws -> [JSONValue] {
    try await place.api("GET", "/sweeps/\(sweep)/trials")["items"]?.array ?? []
  }

  private func attempts(_ place: Workplace, _ trial: JSONValue) async throws -> [JSONValue] {
    try await place.api("GET", "/runs/\(trial["run"]?.string ?? "")/attempts")["items"]?.array ?? []
  }

  private func state(_ place: Workplace, _ sweep: String) async throws -> String? {
    try await place.api("GET", "/sweeps/\(sweep)")["state"]?.string
  }

  private func isGone(_ pid: String?) -> Bool { pid.flatMap { Int32($0) }.map { kill($0, 0) != 0 } ?? false }

  @Test("two agents run each point of a grid once; what they ran shows as any other run")
  func gridOnce() async throws {
    try await Workplace.withServer { place in
      let sweep = try await begin(place)
      let agents = try (0..<2).map {
        try place.start(["agent", "grid", "--gpu", String($0), "--name", "machine\($0)"])
      }
      for agent in agents {
        let outcome = try await agent.outcome()
        #expect(outcome.status == 0, "\(outcome)")
        #expect(outcome.output.contains("Sweep finished"), "\(outcome)")
      }
      #expect(starts(place).map(\.[0]).sorted() == ["0", "1", "2", "3"])
      #expect(
        starts(place).allSatisfy { $0[1] == "1" && $0[3] == place.root.path && ["0", "1"].contains($0[2]) })
      let found = try await trials(place, sweep)
      #expect(found.map { $0["state"]?.string } == Array(repeating: "complete", count: 4))
      #expect(Set(found.map { $0["params"]?.text ?? "" }).count == 4)
      for trial in found {
        let run = try #require(trial["run"]?.string)
        let attempt = try #require(try await attempts(place, trial).first)
        #expect(attempt["agent"]?["name"]?.string?.hasPrefix("machine") == true)
        #expect(attempt["agent"]?["workdir"]?.string == place.root.path)
        #expect(attempt["exit"]?["reason"]?.string?.hasPrefix("Exited with code 0") == true)
        let logs = try await place.martlet("run", "logs", run)
        #expect(logs.output.contains("trained"), "\(logs)")
        #expect(try await place.history(run).count == 3)
      }
      // Ranked and summed up as if the server had run them.
      let shown = try await place.json("sweep", "show", sweep)
      #expect(shown["best"]?["objective"]?.double.map { abs($0 - 1.5833) < 0.001 } == true)
    }
  }

  @Test("what an agent ran that was killed is gone on with by another, as the same trial")
  func killed() async throws {
    try await Workplace.withServer(["--agent-silence", "2"]) { place in
      let sweep = try await begin(place, holding: true)
      let first = try place.start(["agent", sweep])
      #expect(try await eventually { starts(place).count == 1 })
      #expect(
        try await eventually { try await trials(place, sweep).first?["state"]?.string == "running" })
      first.signal(SIGKILL)
      _ = try await first.outcome()
      // What it had started does not outlive it.
      #expect(try await eventually { isGone(starts(place).first?.last) })
      let second = try place.start(["agent", sweep])
      #expect(try await eventually { starts(place).count == 2 })
      #expect(
        try await eventually {
          try await attempts(place, trials(place, sweep)[0]).first?["state"]?.string == "crashed"
        })
      try FileManager.default.removeItem(atPath: place.root.path + "/hold")
      let outcome = try await second.outcome()
      #expect(outcome.status == 0, "\(outcome)")
      #expect(starts(place).map { "\($0[0]).\($0[1])" }.sorted() == ["0.1", "0.2", "1.1", "2.1", "3.1"])
      let ended = try await place.api("GET", "/sweeps/\(sweep)")
      #expect(ended["counts"]?["complete"]?.int == 4)
      let crashed = try #require(try await attempts(place, trials(place, sweep)[0]).first)
      #expect(crashed["exit"]?["reason"]?.string?.contains("was not heard of for 2 seconds") == true)
    }
  }

  @Test("Ctrl-C gives a trial back; --count ends an agent after so many")
  func givenBack() async throws {
    try await Workplace.withServer { place in
      let sweep = try await begin(place, holding: true)
      let first = try place.start(["agent", sweep])
      #expect(try await eventually { try await trials(place, sweep).first?["state"]?.string == "running" })
      // It runs before its program does.
      #expect(try await eventually { starts(place).count == 1 })
      first.signal(SIGINT)
      let left = try await first.outcome()
      #expect(left.status == 130, "\(left)")
      #expect(left.output.contains("was given back"), "\(left)")
      #expect(isGone(starts(place).first?.last))
      let attempts = try await attempts(place, trials(place, sweep)[0])
      #expect(attempts.map { $0["state"]?.string } == ["preempted", "queued"])
      try place.write("go0", "")
      let second = try await place.martlet("agent", sweep, "--count", "1")
      #expect(second.status == 0, "\(second)")
      #expect(starts(place).map { "\($0[0]).\($0[1])" } == ["0.1", "0.2"])
      #expect(try await state(place, sweep) == "running")
    }
  }

  @Test("an agent's trial survives a server that is killed, and hears of its sweep's stop")
  func restarted() async throws {
    try await Workplace.withServer { place in
      let sweep = try await begin(place, holding: true)
      let agent = try place.start(["agent", sweep])
      #expect(try await eventually { try await trials(place, sweep).first?["state"]?.string == "running" })
      #expect(try await eventually { starts(place).count == 1 })
      kill(try #require(place.announcedPID), SIGKILL)
      #expect(try await eventually { agent.errorsSoFar.contains("does not answer") })
      // It ends while nobody is there to be told.
      try place.write("go0", "")
      #expect(try await eventually { isGone(starts(place).first?.last) })
      let up = try await place.martlet("up", "--detach", "--port", "0")
      #expect(up.status == 0, "\(up)")
      #expect(try await eventually { starts(place).count == 2 })
      let found = try await trials(place, sweep)
      #expect(found[0]["attempts"]?.int == 1)
      #expect(try await eventually { try await trials(place, sweep)[1]["state"]?.string == "running" })
      #expect(try await eventually { starts(place).count == 2 })
      let stopped = try await place.martlet("sweep", "stop", sweep, "--grace", "5")
      #expect(stopped.status == 0, "\(stopped)")
      let outcome = try await agent.outcome()
      #expect(outcome.status == 0, "\(outcome)")
      #expect(outcome.output.contains("Sweep stopped"), "\(outcome)")
      #expect(isGone(starts(place).last?.last))
      #expect(try await attempts(place, trials(place, sweep)[1]).map { $0["state"]?.string } == ["stopped"])
    }
  }

  @Test("an agent that cannot find the program says so, and no trial is lost")
  func wrongPlace() async throws {
    try await Workplace.withServer { place in
      let sweep = try await begin(place)
      try place.write("elsewhere/nothing", "")
      let lost = try await place.martlet("agent", sweep, "--workdir", "elsewhere")
      #expect(lost.status == 66, "\(lost)")
      #expect(lost.errors.contains("'train.py' is not in \(place.root.path)/elsewhere"))
      #expect(lost.errors.contains("--workdir"))
      let outcome = try await place.martlet("agent", sweep, "--output", "mine")
      #expect(outcome.status == 0, "\(outcome)")
      #expect(try await trials(place, sweep).allSatisfy { $0["state"]?.string == "complete" })
      let folder = try FileManager.default.contentsOfDirectory(atPath: place.root.path + "/mine")
      #expect(folder.count == 1 && folder[0].hasPrefix("grid_"))
      #expect(try await place.martlet("agent", sweep).errors.contains("has ended already"))
    }
  }
}
