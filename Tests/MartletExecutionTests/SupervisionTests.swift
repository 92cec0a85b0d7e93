// Real supervisors with real commands: started, stopped, outlived, adopted, lost.

import Foundation
import Glibc
import MartletModel
import MartletTestSupport
import Testing

@testable import MartletExecution

@Suite struct SupervisionTests {
  private func end(_ launched: Launched, stop: Bool = false, timeout: Double? = nil) async throws
    -> AttemptEnd
  {
    AttemptEnd(
      try await launched.news.exit(), directory: launched.directory, launch: (timeout, nil),
      wasStopRequested: stop)
  }

  @Test func `a command that succeeds`() async throws {
    try await withScratch { scratch in
      // One that ends sooner than it is looked at is told of by its end alone.
      let launched = try Launched(
        script: "pwd; echo $GREETING; echo oops >&2; while [ ! -e go ]; do sleep 0.02; done", in: scratch)
      let pid = try await launched.news.running()
      try Data().write(to: URL(fileURLWithPath: "\(scratch)/go"))
      let end = try await end(launched)
      #expect(end.state == .finished)
      #expect(pid > 1)
      #expect(try launched.text() == "\(scratch)\n\n")
      #expect(try launched.text(.stderr) == "oops\n")
      #expect(launched.news.all.count == 2, "running once, over once")
    }
  }

  @Test func `a command that fails keeps its exit code and last lines`() async throws {
    try await withScratch { scratch in
      let launched = try Launched(script: "echo begin; echo 'no such file: x.csv' >&2; exit 7", in: scratch)
      let end = try await end(launched)
      #expect(end.state == .failed)
      #expect(end.exit.code == 7)
      #expect(end.exit.reason == "Exited with code 7: no such file: x.csv")
      #expect(end.lastLines == ["no such file: x.csv"])
    }
  }

  @Test func `a command killed by a signal`() async throws {
    try await withScratch { scratch in
      let end = try await end(try Launched(script: "kill -SEGV $$", in: scratch))
      #expect(end.state == .crashed)
      #expect(end.exit.signal == 11)
      #expect(end.exit.reason.contains("SIGSEGV"))
    }
  }

  @Test func `a missing program and a missing directory say so`() async throws {
    try await withScratch { scratch in
      let program = try await end(try Launched(["no-such-program-anywhere"], in: scratch))
      #expect(program.state == .failed)
      #expect(program.exit.reason.contains("No such file or directory"))
      let place = try await end(
        try Launched(["true"], in: scratch, name: "attempt-2", workdir: "\(scratch)/nowhere"))
      #expect(place.state == .failed)
      #expect(place.exit.reason.contains("chdir"))
    }
  }

  @Test func `a hundred thousand lines arrive whole`() async throws {
    try await withScratch { scratch in
      let launched = try Launched(["seq", "1", "100000"], in: scratch)
      #expect(try await end(launched).state == .finished)
      let lines = try launched.text().split(separator: "\n")
      #expect(lines.count == 100_000)
      #expect(lines.enumerated().allSatisfy { $0.element == "\($0.offset + 1)" })
    }
  }

  @Test func `a command that ignores SIGTERM is killed when the grace is over`() async throws {
    try await withScratch { scratch in
      let launched = try Launched(
        script: "trap '' TERM; echo ready; while :; do sleep 0.1; done", in: scratch, grace: 0.5)
      let pid = try await launched.news.running()
      #expect(try await launched.prints("ready"))
      try supervision.get().stop(launched.directory)
      let end = try await end(launched, stop: true)
      #expect(end.state == .stopped)
      #expect(end.exit.reason.hasSuffix("It did not leave when asked and was killed."))
      #expect(!isAlive(pid))
    }
  }

  @Test func `a command that obeys SIGTERM is stopped without force`() async throws {
    try await withScratch { scratch in
      let launched = try Launched(script: "echo ready; exec sleep 300", in: scratch, grace: 60)
      #expect(try await launched.prints("ready"))
      try supervision.get().stop(launched.directory)
      let exit = try await launched.news.exit()
      #expect(exit.reason == "stopped")
      #expect(!exit.wasKilled)
    }
  }

  @Test func `whoever stops may allow less than the grace`() async throws {
    try await withScratch { scratch in
      let launched = try Launched(
        script: "trap '' TERM; echo ready; while :; do sleep 0.1; done", in: scratch, grace: 120)
      #expect(try await launched.prints("ready"))
      try supervision.get().stop(launched.directory, patience: 0.3)
      let exit = try await launched.news.exit()
      #expect(exit.reason == "stopped")
      #expect(exit.signal == 9)
    }
  }

  @Test func `the time limit ends it`() async throws {
    try await withScratch { scratch in
      let launched = try Launched(["sleep", "300"], in: scratch, timeout: 0.3)
      let end = try await end(launched, timeout: 0.3)
      #expect(end.state == .timedOut)
      #expect(end.exit.reason == "Ended by its time limit of 0.3 s.")
    }
  }

  @Test func `a grandchild in a session of its own is ended too`() async throws {
    try await withScratch { scratch in
      let launched = try Launched(
        script: """
          setsid sh -c 'trap "" TERM; echo $$ > \(scratch)/grandchild; while :; do sleep 0.1; done' &
          until [ -s \(scratch)/grandchild ]; do sleep 0.02; done
          """, in: scratch, grace: 0.3)
      let end = try await end(launched)
      #expect(end.state == .finished)
      let text = try String(contentsOfFile: "\(scratch)/grandchild", encoding: .utf8)
      let grandchild = try #require(Int32(text.trimmingCharacters(in: .whitespacesAndNewlines)))
      #expect(!isAlive(grandchild), "the exit record is written when the last of the tree is gone")
    }
  }

  @Test func `a program that said it saves on SIGUSR1 is asked so first`() async throws {
    try await withScratch { scratch in
      let launched = try Launched(
        script: "trap 'echo saved; exit 0' USR1; echo ready; while :; do sleep 0.05; done", in: scratch,
        grace: 20)
      #expect(try await launched.prints("ready"))
      try write("USR1", to: "\(launched.directory.spool)/stop_signal")
      try supervision.get().stop(launched.directory)
      let end = try await end(launched, stop: true)
      #expect(end.state == .stopped)
      #expect(end.exit.code == 0)
      #expect(try launched.text().contains("saved"))
    }
  }

  @Test func `one that does not leave on SIGUSR1 is killed after one grace`() async throws {
    try await withScratch { scratch in
      // A shell that gets no processor within the grace hears nothing: then with a longer one.
      var wasHeard = false
      for grace in [0.4, 2, 10, 30] where !wasHeard {
        let launched = try Launched(
          script: "trap 'echo heard' USR1; trap 'exit 3' TERM; echo ready; while :; do sleep 0.05; done",
          in: scratch,
          name: "attempt-\(grace)", grace: grace)
        #expect(try await launched.prints("ready"))
        try write("USR1", to: "\(launched.directory.spool)/stop_signal")
        try supervision.get().stop(launched.directory)
        let exit = try await launched.news.exit(within: 120)
        let end = AttemptEnd(
          exit, directory: launched.directory, launch: (nil, nil), wasStopRequested: true)
        #expect(end.state == .stopped)
        #expect(end.exit.signal == 9)
        wasHeard = try launched.text().contains("heard")
      }
      #expect(wasHeard)
    }
  }

  @Test func `a sweep's stop_signal asks with SIGUSR1, also at the time limit`() async throws {
    try await withScratch { scratch in
      // The limit may come before the shell has set its trap: then with a longer one.
      var text = ""
      for limit in [1.0, 5, 20] where !text.contains("ready\n") {
        let launched = try Launched(
          script: "trap 'echo saved; exit 0' USR1; echo ready; while :; do sleep 0.05; done", in: scratch,
          name: "attempt-\(limit)", timeout: limit, grace: 20, stopSignal: .usr1)
        let end = try await end(launched)
        #expect(end.state == .timedOut)
        text = try launched.text()
      }
      #expect(text == "ready\nsaved\n")
    }
  }

  @Test func `a second watcher takes over and hears the same end`() async throws {
    try await withScratch { scratch in
      let launched = try Launched(
        script: "until [ -e \(scratch)/gate ]; do sleep 0.02; done; exit 5", in: scratch)
      let pid = try await launched.news.running()
      let second = NewsLog()
      let other = Supervision(executable: try supervision.get().executable)
      other.adopt(launched.directory) { second.take($0) }
      #expect(try await second.running() == pid)
      guard case .alive = try launched.directory.condition() else { throw Unexpected("it lives") }
      try write("", to: "\(scratch)/gate")
      #expect(try await second.exit().code == 5)
      // The first one may have asked the lock at the very moment when the second one did.
      switch try await launched.news.over() {
      case .alive: #expect(launched.directory.exitFile?.code == 5)
      case .ended(let exit): #expect(exit.code == 5)
      case .lost, .neverStarted: Issue.record("\(launched.news.all)")
      }
    }
  }

  @Test func `a revoked attempt starts nothing, however late its supervisor comes`() async throws {
    try await withScratch { scratch in
      let directory = AttemptDirectory(path: "\(scratch)/attempt-1")
      try FileManager.default.createDirectory(atPath: directory.path, withIntermediateDirectories: true)
      guard case .neverStarted = try directory.condition() else { throw Unexpected("nothing was started") }
      let late = try Launched(script: "echo ran > \(scratch)/ran", in: scratch)
      guard case .neverStarted = try await late.news.over() else {
        throw Unexpected("it started: \(late.news.all)")
      }
      #expect(!exists("\(scratch)/ran"))
      #expect(!exists("\(directory.path)/attempt.json"))
    }
  }

  @Test func `a directory is used for one start only`() async throws {
    try await withScratch { scratch in
      let script = "echo ran >> \(scratch)/ran; until [ -e \(scratch)/gate ]; do sleep 0.02; done"
      let first = try Launched(script: script, in: scratch)
      _ = try await first.news.running()
      let second = try Launched(script: script, in: scratch)
      // The second supervisor gives up after two seconds, while the first one lives.
      guard case .alive = try await second.news.over() else { throw Unexpected("\(second.news.all)") }
      try write("", to: "\(scratch)/gate")
      #expect(try await first.news.exit().code == 0)
      let third = try Launched(script: script, in: scratch)
      #expect(try await third.news.exit().code == 0, "the first one's record")
      #expect(try String(contentsOfFile: "\(scratch)/ran", encoding: .utf8) == "ran\n")
    }
  }

  @Test func `when the supervisor is killed the attempt is lost, and its process known`() async throws {
    try await withScratch { scratch in
      let launched = try Launched(script: "echo ready; exec sleep 300", in: scratch)
      let pid = try await launched.news.running()
      #expect(try await launched.prints("ready"))
      let record = try #require(launched.directory.attemptFile)
      #expect(record.bootID == currentBootID())
      #expect(record.supervisor.signal(SIGKILL))
      guard case .lost(let file) = try await launched.news.over() else {
        throw Unexpected("\(launched.news.all)")
      }
      let command = try #require(file.command)
      #expect(command.pid == pid)
      #expect(command.exists, "its command runs on")

      // Stopping reaches the command without a supervisor.
      let causes = CauseLog()
      let watch = LostWatch(
        launched.directory, command: command, timeout: nil, grace: 60, stopSignal: .term
      ) { causes.take($0) }
      watch.stop(patience: nil)
      #expect(try await eventually { causes.all == [.request] })
      #expect(!isAlive(pid))
    }
  }

  @Test func `a supervisor that is not there is a problem in words`() async throws {
    try await withScratch { scratch in
      let problem = #expect(throws: Problem.self) {
        try Supervision.beside(executable: "\(scratch)/martlet", environment: [:])
      }
      #expect(problem?.code == .unavailable)
      #expect(problem?.message.contains("\(scratch)/martlet-supervisor") == true)
      #expect(problem?.hint != nil)

      let news = NewsLog()
      Supervision(executable: "\(scratch)/gone").launch(
        AttemptLaunch(
          directory: AttemptDirectory(path: scratch), command: ["true"], workdir: scratch, environment: [:],
          timeout: nil, grace: 1, stopSignal: .term)
      ) { news.take($0) }
      #expect(try await eventually { !news.all.isEmpty })
      guard case .failed(let failure) = news.all.first else { throw Unexpected("\(news.all)") }
      #expect(failure.message.contains("No such file or directory"))
    }
  }

  @Test func `the supervisor beside the program, or the one that is named`() async throws {
    try await withScratch { scratch in
      let real = try supervision.get().executable
      try FileManager.default.createSymbolicLink(
        atPath: "\(scratch)/martlet-supervisor", withDestinationPath: real)
      try write("", to: "\(scratch)/martlet")
      let beside = try Supervision.beside(executable: "\(scratch)/martlet", environment: [:])
      #expect(beside.executable == "\(scratch)/martlet-supervisor")
      let named = try Supervision.beside(
        executable: "/nowhere/martlet", environment: ["MARTLET_SUPERVISOR": real])
      #expect(named.executable == real)
    }
  }
}
